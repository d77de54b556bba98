// Types of <tail-cast> in the JSX of React 19: `import type {} from "tailcast/react"`, once in an application.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { TailCast, TailCastEventMap } from "./tailcast.js";

/** What the element has beyond others, but for what it does: set as properties. */
type Properties = {
  [Name in Exclude<keyof TailCast, keyof HTMLElement> as TailCast[Name] extends (...given: never[]) => unknown
    ? never
    : Name]?: TailCast[Name] | undefined;
};

/** Those that are written otherwise as attributes. */
interface Attributes {
  "user-id"?: string | undefined;
  "max-lines"?: number | string | undefined;
  "max-mib"?: number | string | undefined;
}

/** `ontailcast-gap` and the others. */
type Listeners = {
  [Name in keyof TailCastEventMap as `on${Name}`]?: ((event: TailCastEventMap[Name]) => void) | undefined;
};

export type TailCastProps = DetailedHTMLProps<HTMLAttributes<TailCast>, TailCast> & Properties & Attributes & Listeners;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "tail-cast": TailCastProps;
    }
  }
}
