// Types of <tail-cast> in the JSX of React 19: `import type {} from "tailcast/react"`, once in an application.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { Negotiate, TailCast, TailCastEventMap } from "./tailcast.js";

/** Properties that are set, by the names that they have in JavaScript. */
type Properties = Pick<
  TailCast,
  | "negotiate"
  | "url"
  | "group"
  | "userId"
  | "subprotocol"
  | "maxLines"
  | "maxMib"
  | "publish"
  | "readonly"
  | "follow"
  | "wrap"
  | "theme"
  | "time"
  | "marks"
  | "speak"
  | "columns"
  | "find"
  | "filter"
  | "levels"
  | "toolbar"
>;

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

export type TailCastProps = DetailedHTMLProps<HTMLAttributes<TailCast>, TailCast> & {
  [Name in keyof Properties]?: Properties[Name] | undefined;
} & { negotiateWith?: Negotiate | undefined } & Attributes &
  Listeners;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "tail-cast": TailCastProps;
    }
  }
}
