// The service's protocol in a few lines, for viewers that bring none: calls `onText` with each message's text.

export async function feed(onText) {
  const { url } = await (await fetch("/negotiate")).json();
  const socket = new WebSocket(url, "json.webpubsub.azure.v1");
  socket.onopen = () => socket.send(JSON.stringify({ type: "joinGroup", group: "stream", ackId: 1 }));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "ack") window.isReady = true;
    if (message.type === "message") onText(message.data);
  };
}
