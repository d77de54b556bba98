//! Several sources.

use wasm_bindgen_test::wasm_bindgen_test;
use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use crate::{browser::client::ClientReport, model::line_store::StoreLimits, test_page::TestPage};

fn connected(page: &TestPage, connection: usize, groups: &[&str]) {
    let (connection_id, user_id, subprotocol) = ("c1".into(), None, Subprotocol::ReliableJson);
    page.report_of(
        connection,
        ClientReport::Event(ClientEvent::Connected { connection_id, user_id, subprotocol, history: None }),
    );
    for group in groups {
        let group = GroupName::new(group).unwrap();
        page.report_of(connection, ClientReport::Event(ClientEvent::Joined { group }));
    }
}

fn receive(page: &TestPage, connection: usize, group: &str, text: &'static str) {
    let (payload, metadata) = (Payload::Text(text.into()), Metadata::new());
    let event = ClientEvent::GroupMessage {
        group: group.into(),
        from_user_id: None,
        payload,
        metadata,
        stream: None,
        sequence_id: None,
    };
    page.report_of(connection, ClientReport::Event(event));
}

/// Groups `web` and `db` on one connection, `ci` on another.
async fn page_of_three() -> TestPage {
    let href = "http://h/?group=web,db&negotiate=/one&negotiate=%2Ftwo%3Fgroup%3Dci";
    let page = TestPage::at(href, StoreLimits::default()).await;
    connected(&page, 0, &["web", "db"]);
    connected(&page, 1, &["ci"]);
    receive(&page, 0, "web", "from web");
    receive(&page, 1, "ci", "from ci");
    receive(&page, 0, "db", "from db");
    page.rendered().await;
    page
}

#[wasm_bindgen_test]
async fn lines_of_several_sources_are_merged_and_tagged() {
    let page = page_of_three().await;
    assert_eq!(page.clients(), 2);
    assert_eq!(page.texts(), ["from web", "from ci", "from db"]);
    let tags: Vec<String> = page.all(".row .tag").iter().filter_map(|tag| tag.text_content()).collect();
    assert_eq!(tags, ["web", "ci", "db"]);
    let colors: Vec<_> =
        page.all(".row .tag").iter().filter_map(|tag| tag.get_attribute("data-source")).collect();
    assert_eq!(colors, ["0", "2", "1"]);
    assert_eq!(page.text("#status"), "Connected · 3 sources");
}

#[wasm_bindgen_test]
async fn a_hidden_source_keeps_its_lines() {
    let page = page_of_three().await;
    page.get(".source[data-source='2']").click();
    page.rendered().await;
    assert_eq!(page.texts(), ["from web", "from db"]);
    assert_eq!(page.attribute(".source[data-source='2']", "aria-pressed"), "false");
    receive(&page, 1, "ci", "meanwhile");
    page.rendered().await;
    assert_eq!(page.texts().len(), 2);
    page.get(".source[data-source='2']").click();
    page.rendered().await;
    assert_eq!(page.texts(), ["from web", "from ci", "from db", "meanwhile"]);
}

#[wasm_bindgen_test]
async fn a_lost_source_is_reported_and_is_the_only_one_to_reconnect() {
    let page = page_of_three().await;
    let reason = Disconnect::Dropped { code: 1006, reason: String::new() };
    page.report_of(1, ClientReport::Event(ClientEvent::Disconnected { reason }));
    page.report_of(1, ClientReport::Event(ClientEvent::Stopped));
    page.rendered().await;
    assert_eq!(page.attribute(".source[data-source='0']", "data-state"), "connected");
    assert_eq!(page.attribute(".source[data-source='2']", "data-state"), "failed");
    assert!(page.text("#status").starts_with("ci: Not connected"), "{}", page.text("#status"));
    page.click("#retry").await;
    assert_eq!(page.clients(), 3);
    connected(&page, 1, &["ci"]);
    page.rendered().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert!(page.texts().last().unwrap().starts_with("ci: Connection lost"), "{:?}", page.texts());
}

#[wasm_bindgen_test]
async fn a_single_source_has_neither_switch_nor_tag() {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.receive("a");
    page.rendered().await;
    assert_eq!((page.count(".source"), page.count(".tag")), (0, 0));
}
