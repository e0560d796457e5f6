import { createApp } from "vue";
import { Api } from "./api.ts";
import "./console.css";
import { Console } from "./frame.ts";

// The API is where this page is.
createApp(Console, { api: new Api(new URL(".", location.href)) }).mount("#console");
