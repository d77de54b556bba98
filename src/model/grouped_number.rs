//! Numbers in groups of digits, alone and with a noun.

/// Formats `n` in groups of three digits: `1,204,330`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats `n` with a noun: `1 line`, `1,204 lines`.
#[must_use]
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Formats `n` in at most four characters: `999`, `1.2k`, `120k`, `1.2M`. Rounds down.
#[must_use]
pub fn compact(n: u64) -> String {
    let (unit, suffix) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    match (n / unit, n % unit * 10 / unit) {
        (whole @ 0..10, tenths) if tenths > 0 => format!("{whole}.{tenths}{suffix}"),
        (whole, _) => format!("{}{suffix}", whole.min(999)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_in_groups_of_three() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_330, "1,204,330")] {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn a_compact_number_has_four_characters_at_most() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (1_299, "1.2k"),
            (9_999, "9.9k"),
            (10_999, "10k"),
            (999_999, "999k"),
            (1_250_000, "1.2M"),
            (u64::MAX, "999G"),
        ] {
            assert_eq!(compact(n), text);
        }
    }

    #[test]
    fn the_noun_is_singular_for_one_only() {
        assert_eq!(counted(1, "line", "lines"), "1 line");
        assert_eq!(counted(0, "line", "lines"), "0 lines");
        assert_eq!(counted(1_204, "line", "lines"), "1,204 lines");
    }
}
