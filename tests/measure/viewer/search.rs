//! Benchmark of the search in the page.

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::browser::Browser;

use super::{Task, corpus, flood};

/// Types the pattern, and checks after each frame whether the page shows the expected number of matches.
const TYPE: &str = r##"
    const [pattern, expected, done] = arguments;
    const bar = document.querySelector("#find"), field = bar.querySelector("input");
    const gaps = [];
    let before = performance.now(), began = 0;
    const painted = new MessageChannel();
    painted.port1.onmessage = () => {
      const isDone = Number(bar.dataset.hits) === expected && bar.dataset.counting !== "true";
      if (isDone) {
        done({ ms: performance.now() - began, worstGapMs: Math.max(...gaps) });
      } else {
        requestAnimationFrame(frame);
      }
    };
    const frame = () => {
      const now = performance.now();
      gaps.push(now - before);
      before = now;
      painted.port2.postMessage(0);
    };
    requestAnimationFrame(() => {
      before = began = performance.now();
      field.value = pattern;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      requestAnimationFrame(frame);
    });
"##;

/// Search with its name, pattern, pressed buttons, and the predicate of matching lines.
struct Search {
    name: &'static str,
    pattern: &'static str,
    buttons: &'static [&'static str],
    has: fn(&str) -> bool,
}

const SEARCHES: [Search; 3] = [
    Search {
        name: "literalAnyCase",
        pattern: "ANSWERED 200 in 77 ms",
        buttons: &[],
        has: |line| line.contains("answered 200 in 77 ms"),
    },
    Search {
        name: "literal",
        pattern: "answered 200 in 77 ms",
        buttons: &["Match case"],
        has: |line| line.contains("answered 200 in 77 ms"),
    },
    Search {
        name: "expression",
        pattern: r"answered 200 in 7[78] ms",
        buttons: &["Match case", "Regular expression"],
        has: |line| line.contains("answered 200 in 77 ms") || line.contains("answered 200 in 78 ms"),
    },
];

/// Fills the page with lines, then measures each search.
pub async fn measure(task: &Task, browser: &Browser) -> anyhow::Result<Value> {
    let viewer = task.open(browser, "").await?;
    let messages = viewer.prepare(corpus::messages(task.corpus, task.lines, true));
    flood(task, browser, &viewer, messages).await?;
    let mut figures = json!({});
    for search in SEARCHES {
        let expected = (0..task.lines).filter(|index| (search.has)(&corpus::line(*index))).count();
        for button in search.buttons {
            browser.run(&format!("document.querySelector('[aria-label=\"{button}\"]').click()")).await?;
        }
        let asked = browser.client().execute_async(TYPE, vec![json!(search.pattern), json!(expected)]);
        figures[search.name] = asked.await.with_context(|| format!("searching for `{}`", search.pattern))?;
        figures[search.name]["hits"] = expected.into();
        for button in search.buttons {
            browser.run(&format!("document.querySelector('[aria-label=\"{button}\"]').click()")).await?;
        }
        browser
            .run(
                "const field = document.querySelector('#find input'); field.value = ''; \
                 field.dispatchEvent(new InputEvent('input', { bubbles: true }))",
            )
            .await?;
    }
    Ok(figures)
}
