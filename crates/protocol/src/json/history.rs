//! JSON form of history responses: one object a line.

use super::{
    MalformedFrame, encode_response,
    reader::Members,
    response::{read_message, required},
    write,
};
use crate::history::{
    HistoryEnd, HistoryHead, HistoryMessage, HistoryPosition, HistoryRecord, MessageNumber,
};

/// Appends a record and its line feed.
pub fn append_record(out: &mut String, record: &HistoryRecord<'_>) {
    match record {
        HistoryRecord::Head(HistoryHead { run_id, oldest, next }) => {
            out.push_str("{\"type\":\"history\"");
            write::string_member(out, "runId", run_id);
            if let Some(HistoryPosition { sequence_id, number }) = oldest {
                write::number_member(out, "oldestSequenceId", *sequence_id);
                write::number_member(out, "oldestNumber", number.message);
                write::number_member(out, "oldestLine", number.line);
            }
            write::number_member(out, "nextNumber", next.message);
            write::number_member(out, "nextLine", next.line);
        }
        HistoryRecord::Message(HistoryMessage { message, published_ms, number }) => {
            let start = out.len();
            out.push_str(&encode_response(message));
            // The closing brace, to add members.
            out.pop();
            join_lines(out, start);
            write::number_member(out, "time", *published_ms);
            write::number_member(out, "number", number.message);
            write::number_member(out, "line", number.line);
        }
        HistoryRecord::End(HistoryEnd { sequence_id }) => {
            out.push_str("{\"type\":\"end\"");
            write::number_member(out, "sequenceId", *sequence_id);
        }
    }
    out.push_str("}\n");
}

/// Replaces the line ends behind `start`. A JSON payload can have them between its values, where a space means the same.
fn join_lines(out: &mut String, start: usize) {
    let is_end = |symbol: char| matches!(symbol, '\n' | '\r');
    if out.get(start..).is_some_and(|added| added.contains(is_end)) {
        let joined = out.split_off(start).replace(is_end, " ");
        out.push_str(&joined);
    }
}

/// Decodes a record, without its line feed; `None` for a kind that this version does not know.
///
/// # Errors
/// [`MalformedFrame`] if the text is not a JSON object, or lacks a member.
pub fn decode_record(line: &str) -> Result<Option<HistoryRecord<'_>>, MalformedFrame> {
    let members = Members::read(line)?;
    let number = |frame, name| required(members.number(name)?, frame, name);
    let kind = required(members.text("type")?, "any", "type")?;
    Ok(match &*kind {
        "history" => Some(HistoryRecord::Head(HistoryHead {
            run_id: required(members.text("runId")?, "history", "runId")?.into_owned(),
            oldest: match members.number("oldestSequenceId")? {
                Some(sequence_id) => Some(HistoryPosition {
                    sequence_id,
                    number: MessageNumber {
                        message: number("history", "oldestNumber")?,
                        line: number("history", "oldestLine")?,
                    },
                }),
                None => None,
            },
            next: MessageNumber {
                message: number("history", "nextNumber")?,
                line: number("history", "nextLine")?,
            },
        })),
        "message" => {
            let published_ms = number("message", "time")?;
            let number =
                MessageNumber { message: number("message", "number")?, line: number("message", "line")? };
            let message = read_message(&members)?;
            message.map(|message| HistoryRecord::Message(HistoryMessage { message, published_ms, number }))
        }
        "end" => Some(HistoryRecord::End(HistoryEnd { sequence_id: number("end", "sequenceId")? })),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        message::{Metadata, Response, Sequence},
        payload::Payload,
    };

    fn numbers() -> impl Strategy<Value = MessageNumber> {
        any::<(u64, u64)>().prop_map(|(message, line)| MessageNumber { message, line })
    }

    #[test]
    fn line_ends_of_a_json_payload_do_not_end_its_record() {
        let forged = "{\"a\":\r\n1,\n\"b\":\"\\n\"}";
        let message = Response::GroupMessage {
            group: "g".into(),
            from_user_id: None,
            payload: Payload::Json(forged.into()),
            sequence: Some(Sequence::from(7)),
            metadata: Metadata::new(),
            stream: None,
        };
        let number = MessageNumber { message: 1, line: 1 };
        let mut line = String::new();
        append_record(
            &mut line,
            &HistoryRecord::Message(HistoryMessage { message, published_ms: 1, number }),
        );
        assert_eq!(line.matches(['\n', '\r']).count(), 1, "{line}");
        let decoded = decode_record(line.trim_end()).unwrap().unwrap();
        let HistoryRecord::Message(HistoryMessage {
            message: Response::GroupMessage { payload, .. }, ..
        }) = decoded
        else {
            panic!("not a message: {line}")
        };
        assert_eq!(payload, Payload::Json(forged.replace(['\n', '\r'], " ").into()));
    }

    proptest! {
        #[test]
        fn records_survive_a_round_trip(
            run_id in ".{0,9}", oldest in prop::option::of((any::<u64>(), numbers())), next in numbers(),
            text in ".{0,40}", id in any::<u64>(), published_ms in any::<u64>(),
        ) {
            let oldest = oldest.map(|(sequence_id, number)| HistoryPosition { sequence_id, number });
            let message = Response::GroupMessage {
                group: "g".into(), from_user_id: Some("u".into()), payload: Payload::Text(text.into()),
                sequence: Some(Sequence::from(id)), metadata: Metadata::new(), stream: None,
            };
            for record in [
                HistoryRecord::Head(HistoryHead { run_id, oldest, next }),
                HistoryRecord::Message(HistoryMessage { message, published_ms, number: next }),
                HistoryRecord::End(HistoryEnd { sequence_id: id }),
            ] {
                let mut line = String::new();
                append_record(&mut line, &record);
                let line = line.strip_suffix('\n').unwrap();
                prop_assert!(!line.contains('\n'));
                prop_assert_eq!(decode_record(line).unwrap(), Some(record));
            }
        }
    }
}
