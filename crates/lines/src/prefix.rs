//! Prefixes that tools put before the lines of a program: timestamps, names of containers and pods, syslog headers.
//!
//! Sources: Docker Compose and `docker logs --timestamps`; the logging format of the Kubernetes CRI; `kubectl logs --prefix`;
//! the default template of stern; RFC 3164 and RFC 5424.

use memchr::memchr;

use super::level::Level;

/// Longest prefix, in bytes. A longer one is part of the text.
pub const MAX_PREFIX_BYTES: usize = 512;
/// Most prefixes in a row, as in `web-1  | 2026-11-29T12:00:00Z …`.
const MAX_PREFIXES: usize = 4;
/// Words that stern puts before a line: namespace, pod and container.
const MAX_STERN_WORDS: usize = 3;

/// A line split at the end of its prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixed<'a> {
    /// The line as the program wrote it.
    pub content: &'a str,
    /// Severity in the priority of a syslog header.
    pub priority: Option<Level>,
}

/// Splits the prefixes off a line.
#[must_use]
pub fn split_prefix(line: &str) -> Prefixed<'_> {
    let mut split = Prefixed { content: line, priority: None };
    for _ in 0..MAX_PREFIXES {
        let Some((content, priority)) = one_prefix(split.content) else { break };
        if line.len() - content.len() > MAX_PREFIX_BYTES {
            break;
        }
        split = Prefixed { content, priority: split.priority.or(priority) };
    }
    split
}

fn one_prefix(line: &str) -> Option<(&str, Option<Level>)> {
    let content = match line.as_bytes().first()? {
        b'<' => return after_priority(line),
        b'[' => after_pod(line),
        b'0'..=b'9' => after_timestamp(line).or_else(|| after_name(line)),
        b'A'..=b'S' => after_syslog_date(line).or_else(|| after_name(line)),
        _ => after_name(line).or_else(|| after_stern(line)),
    };
    content.map(|content| (content, None))
}

/// `<34>Oct 11 22:14:15 host su[123]: …`, `<34>1 2026-11-29T12:00:00Z host su 123 - - …`, `<3>…` of systemd.
fn after_priority(line: &str) -> Option<(&str, Option<Level>)> {
    let (priority, rest) = line.get(1..)?.split_once('>')?;
    let is_number =
        !priority.is_empty() && priority.len() <= 3 && priority.bytes().all(|byte| byte.is_ascii_digit());
    // 24 facilities of 8 severities.
    let priority = priority.parse::<u32>().ok().filter(|priority| is_number && *priority < 192)?;
    let content = rest.strip_prefix("1 ").and_then(after_header).or_else(|| after_syslog_date(rest));
    Some((content.unwrap_or(rest), Level::of_syslog(priority % 8)))
}

/// Skips the header of RFC 5424 behind the version: timestamp, host, application, process and message id, structured data.
fn after_header(rest: &str) -> Option<&str> {
    let (timestamp, mut rest) = rest.split_once(' ')?;
    if timestamp != "-" && !is_timestamp(timestamp) {
        return None;
    }
    for _ in 0..4 {
        rest = rest.split_once(' ')?.1;
    }
    let content = rest.strip_prefix('-').or_else(|| after_structured_data(rest))?;
    let content = content.strip_prefix(' ').unwrap_or(content);
    Some(content.strip_prefix('\u{feff}').unwrap_or(content))
}

/// `[id name="value"][id …]`, with `\"` and `\]` within values.
fn after_structured_data(mut rest: &str) -> Option<&str> {
    while let Some(element) = rest.strip_prefix('[') {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = element.bytes().take(MAX_PREFIX_BYTES).position(|byte| {
            let is_end = byte == b']' && !is_quoted;
            is_quoted ^= byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        })?;
        rest = element.get(end + 1..)?;
        if !rest.starts_with('[') {
            return Some(rest);
        }
    }
    None
}

/// `Oct 11 22:14:15 host su[123]: …`. The name of the program may be missing, as `host` may.
fn after_syslog_date(line: &str) -> Option<&str> {
    let is_month = matches!(
        line.as_bytes().get(..4)?,
        b"Jan "
            | b"Feb "
            | b"Mar "
            | b"Apr "
            | b"May "
            | b"Jun "
            | b"Jul "
            | b"Aug "
            | b"Sep "
            | b"Oct "
            | b"Nov "
            | b"Dec "
    );
    if !is_month {
        return None;
    }
    let (date, rest) = line.split_at_checked("Oct 11 22:14:15 ".len())?;
    let is_date = date.bytes().zip(*b"Mmm dd HH:MM:SS ").skip(3).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit() || byte == b' ',
        b' ' | b':' => byte == form,
        _ => byte.is_ascii_digit(),
    });
    if !is_date {
        return None;
    }
    Some(after_program(rest, false).unwrap_or(rest))
}

/// `host su[123]: …`, or `host su: …` when the number of the process may be missing.
fn after_program(rest: &str, needs_process: bool) -> Option<&str> {
    let (host, rest) = rest.split_once(' ')?;
    let (tag, content) = rest.split_once(' ').unwrap_or((rest, ""));
    let tag = tag.strip_suffix(':')?;
    let program = tag.strip_suffix(']').and_then(|tag| tag.split_once('[')).map(|(program, _)| program);
    let is_name =
        |word: &str| !word.is_empty() && word.bytes().all(is_of_name) && Level::of_word(word).is_none();
    let program = if needs_process { program? } else { program.unwrap_or(tag) };
    (is_name(host) && is_name(program)).then_some(content)
}

/// `2026-11-29T12:00:00.0Z …`; behind it `stdout F …` of the CRI, or the host and program of syslog.
fn after_timestamp(line: &str) -> Option<&str> {
    if line.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let (timestamp, rest) = line.split_at_checked(memchr(b' ', line.as_bytes())?)?;
    let rest = rest.get(1..).filter(|_| is_timestamp(timestamp))?;
    let stream = rest.strip_prefix("stdout ").or_else(|| rest.strip_prefix("stderr "));
    let partial = stream.and_then(|rest| rest.strip_prefix("F ").or_else(|| rest.strip_prefix("P ")));
    Some(partial.or_else(|| after_program(rest, true)).unwrap_or(rest))
}

/// Whether this is a date and a time of RFC 3339.
fn is_timestamp(text: &str) -> bool {
    text.len() > 19
        && text
            .bytes()
            .zip(*b"0000-00-00T00:00:00")
            .all(|(byte, form)| byte == form || form == b'0' && byte.is_ascii_digit())
        && text
            .bytes()
            .skip(19)
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'Z' | b'+' | b'-' | b':'))
}

/// `[pod/name/container] …`.
fn after_pod(line: &str) -> Option<&str> {
    let (pod, content) = line.strip_prefix("[pod/")?.split_once("] ")?;
    pod.bytes().all(|byte| is_of_name(byte) || byte == b'/').then_some(content)
}

/// `web-1  | …`, with a time before the name, as foreman writes it, or without.
fn after_name(line: &str) -> Option<&str> {
    let is_of_word = |byte: &u8| is_of_name(*byte) || matches!(byte, b'/' | b':');
    let bytes = beginning(line);
    memchr(b'|', bytes)?;
    let mut end = bytes.iter().take_while(|byte| is_of_word(byte)).count();
    if line
        .get(..end)
        .is_some_and(|word| word.len() == 8 && word.bytes().filter(|byte| *byte == b':').count() == 2)
    {
        end += 1 + bytes.iter().skip(end + 1).take_while(|byte| is_of_word(byte)).count();
    }
    let rest = line.get(end..).filter(|rest| end > 0 && rest.starts_with(' '))?;
    rest.trim_start_matches(' ').strip_prefix("| ")
}

/// `pod container {…`, as stern writes it, before an object only, with or without a timestamp: two words may begin any text.
fn after_stern(line: &str) -> Option<&str> {
    memchr(b'{', beginning(line))?;
    let (mut rest, mut has_pod) = (line, false);
    for words in 0..=MAX_STERN_WORDS {
        let word =
            rest.bytes().take_while(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')).count();
        let is_content = rest.starts_with('{') || rest.split(' ').next().is_some_and(is_timestamp);
        if words > 1 && has_pod && is_content {
            return Some(rest);
        }
        let (name, after) = rest.split_at_checked(word)?;
        has_pod |= name.contains('-');
        rest = after.strip_prefix(' ').filter(|_| !name.is_empty())?;
    }
    None
}

fn beginning(line: &str) -> &[u8] {
    line.as_bytes().get(..MAX_PREFIX_BYTES).unwrap_or(line.as_bytes())
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_prefixes_are_split_off() {
        for prefix in [
            "web-1  | ",
            "my_project_db_1 | ",
            "logs/app.log | ",
            "12:00:00 worker.1 | ",
            "2026-11-29T12:00:00.0Z ",
            "2026-11-29T12:00:00.123456789+01:00 ",
            "web-1  | 2026-11-29T12:00:00Z ",
            "2026-11-29T12:00:00.123456789Z stdout F ",
            "2026-11-29T12:00:00.123456789Z stderr P ",
            "[pod/web-5d8f7c9-x2/nginx] ",
            "[pod/web-0/nginx] 2026-11-29T12:00:00Z ",
            "web-5d8f7c9-x2 nginx ",
            "prod web-0 nginx ",
            "web-5d8f7c9-x2 nginx 2026-11-29T12:00:00Z ",
            "Nov 29 12:00:00 host app[123]: ",
            "Nov  9 12:00:00 host app: ",
            "<13>Nov 29 12:00:00 host app[1]: ",
            "<165>1 2026-11-29T12:00:00.003Z host app 12 ID47 - ",
            "<165>1 - - - - - [a@1 x=\"]\\\"\" y=\"2\"][b] \u{feff}",
            "2026-11-29T12:00:00.000000+00:00 host app[123]: ",
            "<14>",
        ] {
            let line = format!("{prefix}{{\"a\":1}}");
            assert_eq!(split_prefix(&line).content, "{\"a\":1}", "{prefix}");
        }
    }

    #[test]
    fn text_that_resembles_a_prefix_stays() {
        for line in [
            "",
            "|",
            "<b>bold</b>",
            "<999>x",
            "<>x",
            "<+3>x",
            "request body {\"a\":1}",
            "sent a-b to c d e {\"a\":1}",
            "Nov 29 12:00 x",
            "2026-11-29 12:00:00 x: y",
            "Novel 29 12:00:00",
            "a || b",
            "[pod/x",
            "Größe | 3",
        ] {
            assert_eq!(split_prefix(line), Prefixed { content: line, priority: None }, "{line}");
        }
        for (line, content) in [
            ("2026-11-29T12:00:03Z ERROR db[1]: refused", "ERROR db[1]: refused"),
            ("2026-11-29T12:00:03Z main db: refused", "main db: refused"),
            ("Nov 29 12:00:00 ERROR db: refused", "ERROR db: refused"),
        ] {
            assert_eq!(split_prefix(line).content, content);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_split_within_the_limit(
            line in "(<[0-9]{0,4}>|1 |[a-z-]{1,5} |\\| |\\[[a-zé\"\\\\]{0,3}\\]|2026-11-29T12:00:00Z |Nov 29 12:00:00 |[ -~é]){0,30}",
        ) {
            let split = split_prefix(&line);
            proptest::prop_assert!(line.ends_with(split.content));
            proptest::prop_assert!(line.len() - split.content.len() <= MAX_PREFIX_BYTES);
        }
    }
}
