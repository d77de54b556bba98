//! Direction and distance of a movement through the log.

/// Direction of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards newer lines.
    Forward,
    /// Towards older lines.
    Backward,
}

/// Distance of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// One character.
    Character,
    /// One line.
    Line,
    /// As many lines as the viewport shows.
    Page,
    /// All the way to the first or the last line.
    All,
}
