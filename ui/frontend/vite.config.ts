/** One ES module a component, `dist/live.js` and so on, with what they share in modules of its own. */
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  // A library build leaves this in; React looks at it, and browsers have no `process`.
  define: mode === "production" ? { "process.env.NODE_ENV": '"production"' } : {},
  build: {
    target: "es2022",
    lib: {
      entry: { live: "src/live/index.ts", builder: "src/builder/index.tsx", atlas: "src/atlas/index.ts", pad: "src/pad/index.ts" },
      formats: ["es"],
    },
    rollupOptions: {
      output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
    },
    minify: true,
    reportCompressedSize: true,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
}));
