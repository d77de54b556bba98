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

/// The value of a JSON field in its column. A space follows it, for whoever copies the row from the document.
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
