//! Responses of a history, in both forms, and the address of a page with a link.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::model::view_link::ViewLink;
use webpubsub_client::history::HistoryReader;
use webpubsub_protocol::protobuf::history::{append_record, decode_record, split_record};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = HistoryReader::default();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for piece in [first, second] {
        if reader.push(piece, |_| {}).is_err() {
            break;
        }
    }
    let mut rest = bytes;
    while let Ok(Some(record)) = split_record(&mut rest) {
        if let Ok(Some(record)) = decode_record(record) {
            let mut again = Vec::new();
            append_record(&mut again, &record);
            assert!(split_record(&mut &again[..]).is_ok_and(|record| record.is_some()));
        }
    }
    if let Ok(fragment) = std::str::from_utf8(bytes) {
        let link = ViewLink::parse(fragment);
        assert_eq!(ViewLink::parse(&link.format()).linked, link.linked);
    }
});
