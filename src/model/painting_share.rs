//! How much of a page's time goes into painting while lines pour in, more than anybody follows.
//!
//! Nobody reads lines that another replaces in the next frame: each painting of a flood is time that lines are not taken in,
//! and the flood lasts longer. So after a painting comes a rest in proportion to what it took. Lines at the pace
//! of most programs are painted in the next frame.

/// A rest lasts so many times as long as the painting before it: paintings get at most an eighth of the time, while they are quick.
const RESTS_A_PAINTING: f64 = 7.0;
/// Longest rest, in milliseconds: even where painting is slow, the page moves.
const LONGEST_REST_MS: f64 = 200.0;

/// See the [module](self). Times are in milliseconds of a clock that never jumps.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaintingShare {
    rests_until_ms: f64,
}

impl PaintingShare {
    /// Whether what has arrived may be painted now.
    #[must_use]
    pub fn is_left(&self, now_ms: f64) -> bool {
        now_ms >= self.rests_until_ms
    }

    /// A painting lasted from then to then.
    pub fn used(&mut self, from_ms: f64, to_ms: f64) {
        self.rests_until_ms = to_ms + ((to_ms - from_ms) * RESTS_A_PAINTING).clamp(0.0, LONGEST_REST_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When frames that come each 16 ms are painted, each painting taking so long.
    fn painted_frames(painting_ms: f64) -> Vec<usize> {
        let mut share = PaintingShare::default();
        let frames = (0..100).map(|frame| (frame, f64::from(u32::try_from(frame).unwrap()) * 16.0));
        frames
            .filter(|(_, now)| {
                let is_painted = share.is_left(*now);
                if is_painted {
                    share.used(*now, now + painting_ms);
                }
                is_painted
            })
            .map(|(frame, _)| frame)
            .collect()
    }

    #[test]
    fn a_quick_painting_is_in_every_frame() {
        assert_eq!(painted_frames(2.0).len(), 100);
    }

    #[test]
    fn slow_ones_take_an_eighth_of_the_time() {
        assert_eq!(painted_frames(4.0).len(), 50);
        assert_eq!(painted_frames(8.0).len(), 25);
        assert_eq!(painted_frames(16.0).len(), 13);
    }

    #[test]
    fn however_slow_painting_is_the_page_moves() {
        let frames = painted_frames(300.0);
        assert_eq!(frames.get(1), Some(&32), "300 ms and a rest of 200 are 32 frames");
    }
}
