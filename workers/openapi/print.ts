import { openApiDocument } from "./document.ts";

// For the build (scripts/build-site.ts), which is no Worker and knows none of their types.
console.log(JSON.stringify(openApiDocument()));
