//! Cases of the suite.

/// Group of cases.
#[derive(Debug)]
pub struct Group {
    /// Number, with which the numbers of its cases begin.
    pub number: u32,
    /// Subject of the cases.
    pub name: &'static str,
    /// Number of cases.
    pub cases: usize,
}

/// Groups of the suite, without compression. There is no group 8.
pub const GROUPS: [Group; 9] = [
    Group { number: 1, name: "framing", cases: 16 },
    Group { number: 2, name: "pings and pongs", cases: 11 },
    Group { number: 3, name: "reserved bits", cases: 7 },
    Group { number: 4, name: "opcodes", cases: 10 },
    Group { number: 5, name: "fragmentation", cases: 20 },
    Group { number: 6, name: "UTF-8", cases: 145 },
    Group { number: 7, name: "close handshake", cases: 37 },
    Group { number: 9, name: "limits and performance", cases: 54 },
    Group { number: 10, name: "automatic fragmentation", cases: 1 },
];

/// Patterns of the cases of compression, an extension that no server here negotiates.
pub const COMPRESSION: [&str; 2] = ["12.*", "13.*"];

/// Beginnings of the numbers of the cases with messages of 4 MiB and more. The hub must reject them with
/// close code 1009: its limit is 1 MiB, as that of the cloud service.
pub const BEYOND_THE_LIMIT_OF_THE_HUB: &[&str] =
    &["9.1.4", "9.1.5", "9.1.6", "9.2.4", "9.2.5", "9.2.6", "9.3.", "9.4."];

/// Outcomes of a case that passes. The suite has no expectation for informational cases.
pub const PASSES: [&str; 2] = ["OK", "INFORMATIONAL"];
