// Types of <tail-cast> in the JSX of React 19: `import type {} from "tailcast/react"`, once in an application.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { TailCast, TailCastEventMap } from "./tailcast.js";

/** Properties of the element that other elements do not have; methods are left out. */
type Properties = {
  [Name in Exclude<keyof TailCast, keyof HTMLElement> as TailCast[Name] extends (...given: never[]) => unknown
    ? never
    : Name]?: TailCast[Name] | undefined;
};

/** Attributes with another name than their property. */
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
