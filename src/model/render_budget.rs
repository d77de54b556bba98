//! Throttling of rendering to an eighth of the time while lines arrive faster than anyone can read.
//!
//! During a flood, rendering delays the lines that wait to be received, and those on screen are replaced in the next frame. So
//! each render is followed by a pause in proportion to its duration. At the rate of most programs, lines are rendered in the
//! next frame.

/// Duration of a pause, relative to the render before it.
const PAUSE_FACTOR: f64 = 7.0;
/// Longest pause, in milliseconds: the page keeps moving even where rendering is slow.
const MAX_PAUSE_MS: f64 = 200.0;

/// Budget for rendering during a flood. Times are milliseconds of a monotonic clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct RenderBudget {
    pause_until_ms: f64,
}

impl RenderBudget {
    /// Whether rendering is allowed now.
    #[must_use]
    pub fn allows(&self, now_ms: f64) -> bool {
        now_ms >= self.pause_until_ms
    }

    /// Records a render, and starts the pause after it.
    pub fn record(&mut self, from_ms: f64, to_ms: f64) {
        self.pause_until_ms = to_ms + ((to_ms - from_ms) * PAUSE_FACTOR).clamp(0.0, MAX_PAUSE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the frames, 16 ms apart, that are rendered if each render takes `render_ms`.
    fn rendered_frames(render_ms: f64) -> Vec<usize> {
        let mut budget = RenderBudget::default();
        let frames = (0..100).map(|frame| (frame, f64::from(u32::try_from(frame).unwrap()) * 16.0));
        frames
            .filter(|(_, now)| {
                let is_allowed = budget.allows(*now);
                if is_allowed {
                    budget.record(*now, now + render_ms);
                }
                is_allowed
            })
            .map(|(frame, _)| frame)
            .collect()
    }

    #[test]
    fn quick_renders_take_place_in_every_frame() {
        assert_eq!(rendered_frames(2.0).len(), 100);
    }

    #[test]
    fn slow_renders_take_an_eighth_of_the_time() {
        assert_eq!(rendered_frames(4.0).len(), 50);
        assert_eq!(rendered_frames(8.0).len(), 25);
        assert_eq!(rendered_frames(16.0).len(), 13);
    }

    #[test]
    fn the_pause_after_a_very_slow_render_is_limited() {
        let frames = rendered_frames(300.0);
        assert_eq!(frames.get(1), Some(&32), "300 ms and a pause of 200 ms are 32 frames");
    }
}
