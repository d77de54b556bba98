// Puts each new picture of the service in place, unless somebody is marking text in the present one.
const main = document.querySelector("main");
const state = document.querySelector("#state");
const pictures = new EventSource("/_hub/live" + location.search);
pictures.onopen = () => (state.textContent = "live");
pictures.onerror = () => (state.textContent = "not connected");
pictures.onmessage = (event) => {
  if (getSelection().isCollapsed) main.innerHTML = JSON.parse(event.data);
};
