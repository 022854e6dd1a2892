interface ImportMeta {
  /** Files of a folder by their paths, here as text, as Vite gives them to a test. */
  glob(
    pattern: string,
    options: { readonly query: "?raw"; readonly import: "default"; readonly eager: true },
  ): Readonly<Record<string, string>>;
}
