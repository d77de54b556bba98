import { createApp } from "vue";
import "tailcast";
import Log from "./Log.vue";

createApp(Log).mount("main");
