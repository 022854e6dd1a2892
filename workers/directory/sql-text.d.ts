/** A migration as text, as Vite gives it to a test. */
declare module "*.sql?raw" {
  const text: string;
  export default text;
}
