// First script of every page: observes frames, long tasks and the shown text.

(() => {
  // Text at the end of each viewer. The cost does not depend on the number of lines.
  const shownBy = {
    ours: () => document.querySelector("#log")?.textContent,
    tutorial: () => document.querySelector("#output")?.lastElementChild?.textContent,
    xterm: () => document.querySelector(".xterm-rows")?.textContent,
    logviewer: () => document.querySelector("#root")?.textContent,
    virtuoso: () => document.querySelector("#root")?.textContent,
    ghostty: () => window.shownText?.(),
    counting: () => window.lastText,
  };
  const nothing = () => ({ gaps: [], laterGaps: [], longTaskMs: 0, longestTaskMs: 0, doneAt: 0, countedAt: 0, delays: [] });
  const state = { ...nothing(), closed: "", arrivals: [] };
  window.probe = state;
  const closes = (event) => (state.closed = `${event.code} ${event.reason}`);
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...from) {
      super(...from);
      this.addEventListener("close", closes);
      if (location.search.includes("paced")) this.addEventListener("message", arrived);
    }
  };

  const lastNumber = (text) => {
    const at = text.lastIndexOf("seq=");
    return at < 0 ? -1 : Number.parseInt(text.slice(at + 4), 10);
  };
  const arrived = ({ data, timeStamp }) => {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    const number = lastNumber(text);
    if (number >= 0) state.arrivals.push([number, performance.now()]);
  };

  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      state.longTaskMs += duration;
      state.longestTaskMs = Math.max(state.longestTaskMs, duration);
    }
  }).observe({ type: "longtask" });

  // Starts the observation of frames, until `last` is shown.
  state.watch = (viewer, last) => {
    Object.assign(state, nothing());
    let before = performance.now();
    // Runs after the frame is painted.
    const painted = new MessageChannel();
    painted.port1.onmessage = () => {
      const now = performance.now();
      const text = shownBy[viewer]() ?? "";
      if (state.arrivals.length > 0) {
        const shown = lastNumber(text);
        while (state.arrivals.length > 0 && state.arrivals[0][0] <= shown) {
          state.delays.push(now - state.arrivals.shift()[1]);
        }
      }
      if (last !== undefined && state.doneAt === 0 && text.includes(`seq=${last};`)) {
        state.doneAt = performance.timeOrigin + now;
      }
      // A count with a plus sign is not complete. Other viewers count no levels.
      const counts = [...document.querySelectorAll(".level b")];
      if (state.doneAt > 0 && state.countedAt === 0 && !counts.some((count) => count.textContent.endsWith("+"))) {
        state.countedAt = performance.timeOrigin + now;
      }
    };
    const frame = () => {
      const now = performance.now();
      if (state.doneAt === 0) state.gaps.push(now - before);
      else if (state.countedAt === 0) state.laterGaps.push(now - before);
      before = now;
      painted.port2.postMessage(0);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };

  // Returns the results.
  state.report = () => {
    const at = (list, share) => {
      const sorted = [...list].sort((one, other) => one - other);
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    };
    return {
      worstGapMs: Math.max(0, ...state.gaps.slice(-100000)),
      gap95Ms: at(state.gaps, 0.95),
      countedMs: state.countedAt - state.doneAt,
      worstCountingGapMs: Math.max(0, ...state.laterGaps),
      longTaskMs: state.longTaskMs,
      delay50Ms: at(state.delays, 0.5),
      delay99Ms: at(state.delays, 0.99),
      delays: state.delays.length,
      frames: state.gaps.length,
    };
  };
})();
