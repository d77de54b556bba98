// Renders each snapshot of the service, but not while text is selected: the selection would be lost.
const main = document.querySelector("main");
const state = document.querySelector("#state");
const snapshots = new EventSource("/_hub/live" + location.search);

snapshots.onopen = () => report("live", "Live");
snapshots.onerror = () => {
  const isFinal = snapshots.readyState === EventSource.CLOSED;
  report("disconnected", isFinal ? "Not live: reload the page to retry" : "Disconnected, reconnecting…");
};
snapshots.onmessage = (event) => {
  if (!getSelection().isCollapsed) return report("paused", "Paused while text is selected");
  report("live", "Live");
  const next = document.createElement("template");
  next.innerHTML = JSON.parse(event.data);
  updateChildren(main, next.content);
};

// Screen readers announce each change of the words.
function report(name, words) {
  const present = state.querySelector(".words");
  if (present.textContent === words) return;
  state.dataset.state = name;
  present.textContent = words;
}

const keyOf = (node) => node.dataset?.key;

// Makes the children of `present` equal to those of `next`. Nodes that stay are changed in place, so that they keep the
// focus; elements with a `data-key` are matched by it, others by their position.
function updateChildren(present, next) {
  const wanted = new Set(Array.from(next.children, keyOf));
  for (const child of [...present.children]) if (!wanted.has(keyOf(child))) child.remove();
  const kept = new Map(Array.from(present.children, (child) => [keyOf(child), child]));
  let place = present.firstChild;
  const dropPlace = () => {
    const dropped = place;
    place = place.nextSibling;
    dropped.remove();
  };
  for (const child of [...next.childNodes]) {
    const key = keyOf(child);
    const same = key === undefined ? (place && isLike(place, child) ? place : undefined) : kept.get(key);
    if (!same) {
      present.insertBefore(child, place);
      continue;
    }
    while (place && place !== same && keyOf(place) === undefined) dropPlace();
    if (place !== same) present.insertBefore(same, place);
    place = same.nextSibling;
    update(same, child);
  }
  while (place) dropPlace();
}

const isLike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

function update(present, next) {
  if (present.isEqualNode(next)) return;
  if (present.nodeType !== Node.ELEMENT_NODE) {
    present.data = next.data;
    return;
  }
  for (const name of present.getAttributeNames()) if (!next.hasAttribute(name)) present.removeAttribute(name);
  for (const { name, value } of next.attributes) if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  updateChildren(present, next);
}
