// Type checks only: the package's types in React's JSX.
import { useRef } from "react";
import type { Negotiate, TailCast } from "tailcast";
import type {} from "tailcast/react";

export function Log({ negotiateWith }: { negotiateWith: Negotiate }) {
  const log = useRef<TailCast>(null);
  return (
    <>
      <tail-cast
        ref={log}
        className="log"
        negotiate="/negotiate"
        group="a,b"
        maxLines={500}
        max-mib="64"
        wrap
        follow={false}
        theme="dark"
        negotiateWith={negotiateWith}
        onClick={() => log.current?.pause()}
        ontailcast-connected={({ detail }) => detail.connectionId.length}
        ontailcast-gap={({ detail }) => (detail.messages ?? 0) + 1}
      >
        <strong slot="header">A header</strong>
      </tail-cast>
      {/* @ts-expect-error there is no such theme */}
      <tail-cast theme="pink" />
      {/* @ts-expect-error its detail has no such member */}
      <tail-cast ontailcast-gap={({ detail }) => detail.reason} />
      {/* @ts-expect-error that is done, not set */}
      <tail-cast pause={() => undefined} />
      {/* @ts-expect-error there is no such property */}
      <tail-cast negotiation="/negotiate" />
    </>
  );
}
