import { join } from "node:path";
import { defineConfig } from "vite";
import { PAGE_PATHS } from "./page-paths.ts";

/** What `npm run dashboard` asks for numbers: the api Worker of `npm start`, or another. */
const API_URL = process.env.TALLY_API ?? "http://127.0.0.1:8788";

/** Built into the api Worker's assets (scripts/build-site.ts); served from source, over a running api Worker, by `npm run dashboard`. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: join(import.meta.dirname, "..", "..", "..", "dist", "site"),
    // The reference page stands there, too.
    emptyOutDir: false,
    target: "es2023",
    // A file of its own: the Content-Security-Policy lets no style and no script stand in the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/v1": {
        target: API_URL,
        changeOrigin: true,
        // A session changes things for pages of the api Worker's own origin only.
        headers: { Origin: API_URL },
      },
    },
  },
  plugins: [
    {
      name: "pages",
      configureServer: ({ middlewares }) => {
        middlewares.use((request, _response, next) => {
          const [path] = (request.url ?? "").split("?");
          if (Object.values(PAGE_PATHS).some((page) => page === path)) request.url = "/index.html";
          next();
        });
      },
    },
  ],
});
