/** @jsxRuntime automatic */
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "tailcast";

const negotiate = new URLSearchParams(location.search).get("negotiate");

function Log() {
  const [isWrapped, setWrapped] = useState(false);
  const [connection, setConnection] = useState("");
  return (
    <>
      <button onClick={() => setWrapped(!isWrapped)}>Wrap</button>
      <output>{connection}</output>
      <tail-cast
        negotiate={negotiate}
        group="stream"
        max-lines="500"
        wrap={isWrapped}
        ontailcast-connected={({ detail }) => setConnection(detail.connectionId)}
      >
        <strong slot="header">From React</strong>
      </tail-cast>
    </>
  );
}

// Strict mode runs effects twice. Each element must still exist once.
createRoot(document.querySelector("main")).render(<StrictMode><Log /></StrictMode>);
