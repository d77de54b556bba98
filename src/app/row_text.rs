//! The text of a row: text nodes, and elements where it is styled, linked, highlighted or matched.

use std::ops::Range;

use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

use super::context::use_state;
use crate::{
    controller::state::ViewerStateStoreFields,
    model::row::{RowPiece, RowText},
};

/// Returns the view of a row's text.
pub fn row_text(text: &RowText) -> impl IntoView + use<> {
    match text {
        RowText::Plain(text) => EitherOf3::A(text.clone()),
        RowText::Pieces(pieces) => EitherOf3::B(pieces.iter().map(piece).collect::<Vec<_>>()),
        RowText::Columns(cells) => {
            EitherOf3::C(cells.iter().enumerate().map(|(at, pieces)| cell(at, pieces)).collect::<Vec<_>>())
        }
    }
}

/// The value of a JSON field in its column. A space follows it, so that it is separated from the next one in copied text.
fn cell(at: usize, pieces: &[RowPiece]) -> impl IntoView + use<> {
    let state = use_state();
    let width = move || {
        let chars = state.widths().with(|widths| widths.cells.get(at).copied().unwrap_or(0));
        format!("{chars}ch")
    };
    view! {
        <span class="cell" style:min-width=width>
            {pieces.iter().map(piece).collect::<Vec<_>>()}
        </span>
        " "
    }
}

/// A piece in one style: a text node where it is plain.
fn piece(piece: &RowPiece) -> impl IntoView + use<> {
    let text = text_with_invisible(&piece.text, &piece.invisible);
    if piece.class.is_empty() {
        return EitherOf3::A(text);
    }
    let (class, foreground, background) =
        (piece.class.clone(), piece.foreground.clone(), piece.background.clone());
    match &piece.url {
        // The tooltip shows the target before it is followed.
        Some(url) => EitherOf3::B(view! {
            <a
                class=class
                href=url.clone()
                target="_blank"
                rel="noopener noreferrer"
                title=url.clone()
                style=("--f", foreground)
                style=("--b", background)
            >
                {text}
            </a>
        }),
        None => EitherOf3::C(view! {
            <span class=class style=("--f", foreground) style=("--b", background)>
                {text}
            </span>
        }),
    }
}

/// Returns text in which some ranges stand for an invisible character.
pub fn text_with_invisible(text: &str, invisible: &[Range<usize>]) -> impl IntoView + use<> {
    if invisible.is_empty() {
        return Either::Left(text.to_owned());
    }
    let mut parts = Vec::new();
    let mut end = 0;
    for range in invisible {
        if let Some(between) = text.get(end..range.start).filter(|between| !between.is_empty()) {
            parts.push(Either::Left(between.to_owned()));
        }
        let mark = text.get(range.clone()).unwrap_or_default().to_owned();
        parts.push(Either::Right(view! { <span class="mark">{mark}</span> }));
        end = range.end;
    }
    if let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        parts.push(Either::Left(rest.to_owned()));
    }
    Either::Right(parts)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::row::ListWidths, test_page::ComponentStage};

    /// Returns a stage with the text of a row.
    async fn text_of(text: RowText) -> ComponentStage {
        ComponentStage::showing(move || view! { <span class="text">{row_text(&text)}</span> }).await
    }

    fn piece_of(text: &str, class: &str) -> RowPiece {
        RowPiece { class: class.to_owned(), ..RowPiece::plain(text.to_owned()) }
    }

    #[wasm_bindgen_test]
    async fn plain_text_and_plain_pieces_are_text_nodes() {
        let markup = "<img src=x> &amp; <b>";
        let stage = text_of(RowText::Plain(markup.into())).await;
        assert_eq!((stage.text(".text"), stage.count(".text *")), (markup.into(), 0));
        let stage = text_of(RowText::Pieces(vec![piece_of(markup, ""), piece_of("<i>", "hit")])).await;
        assert_eq!((stage.text(".text"), stage.count(".text *")), (format!("{markup}<i>"), 1));
        assert_eq!(stage.text(".hit"), "<i>");
    }

    #[wasm_bindgen_test]
    async fn styled_pieces_have_classes_and_their_colours_as_custom_properties() {
        let coloured = RowPiece {
            foreground: Some("var(--ansi-1)".into()),
            background: Some("#0000ee".into()),
            ..piece_of("red", "ansi bold")
        };
        let stage = text_of(RowText::Pieces(vec![coloured, piece_of("lit", "ansi lit yellow")])).await;
        let style =
            |selector: &str, name: &str| stage.get(selector).style().get_property_value(name).unwrap();
        assert_eq!(
            (style(".bold", "--f"), style(".bold", "--b")),
            ("var(--ansi-1)".into(), "#0000ee".into())
        );
        assert_eq!((stage.text(".lit.yellow"), style(".lit", "--f")), ("lit".into(), String::new()));
    }

    #[wasm_bindgen_test]
    async fn links_open_elsewhere_and_pass_nothing_on() {
        let url = "https://example.com/?a=\"b\"&c";
        let link = RowPiece { url: Some(url.into()), ..piece_of("link", "ansi") };
        let stage = text_of(RowText::Pieces(vec![link])).await;
        for (name, value) in
            [("href", url), ("title", url), ("target", "_blank"), ("rel", "noopener noreferrer")]
        {
            assert_eq!(stage.attribute("a", name), value, "{name}");
        }
    }

    #[wasm_bindgen_test]
    async fn columns_are_as_wide_as_their_values_and_spaces_separate_them() {
        let cells =
            vec![vec![piece_of("warn", "")], vec![piece_of("no ", ""), piece_of("route", "hit")], Vec::new()];
        let stage = text_of(RowText::Columns(cells)).await;
        assert_eq!(stage.text(".text"), "warn no route  ");
        let widths = || {
            let cells = stage.all(".cell");
            cells.iter().map(|cell| cell.style().get_property_value("min-width").unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(widths(), ["0ch", "0ch", "0ch"]);
        stage.set(stage.state().widths(), ListWidths { cells: vec![5, 12], ..ListWidths::default() }).await;
        assert_eq!(widths(), ["5ch", "12ch", "0ch"], "a column without a width has none");
    }

    #[wasm_bindgen_test]
    async fn invisible_characters_are_marked_at_the_beginning_in_between_and_at_the_end() {
        let text = "<U+202E>é<U+0000>b<U+202E>";
        let invisible = vec![0..8, 10..18, 19..27];
        let piece = RowPiece { invisible, ..piece_of(text, "ansi") };
        let stage = text_of(RowText::Pieces(vec![piece])).await;
        assert_eq!(stage.text(".ansi"), text);
        assert_eq!(stage.texts_of(".mark"), ["<U+202E>", "<U+0000>", "<U+202E>"]);
    }
}
