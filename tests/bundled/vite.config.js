import vue from "@vitejs/plugin-vue";

export default {
  // Relative URLs, for pages at any path.
  base: "./",
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "tail-cast" } } })],
  // As Vite's plugin for React: a late discovery of the dependency would reload the page.
  optimizeDeps: { include: ["react/jsx-dev-runtime"] },
  build: { rollupOptions: { input: ["client.html", "plain.html", "react.html", "vue.html"] } },
};
