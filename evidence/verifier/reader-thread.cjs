// Starts a thread of the verifier from its TypeScript source. The bundled program, `dist/evidence.js`, needs no such file.

require("tsx/cjs");
require("./reader-thread.ts");
