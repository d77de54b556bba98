import vue from "@vitejs/plugin-vue";

export default {
  // Pages under any path.
  base: "./",
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "tail-cast" } } })],
  build: { rollupOptions: { input: ["client.html", "plain.html", "react.html", "vue.html"] } },
};
