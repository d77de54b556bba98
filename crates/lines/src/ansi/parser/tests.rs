use proptest::prelude::*;

use super::*;

/// Returns the commands in a list of pieces, with neighbouring texts joined.
fn commands(pieces: &[&str]) -> Vec<String> {
    let mut parser = Parser::default();
    let mut commands: Vec<String> = Vec::new();
    for piece in pieces {
        parser.feed(piece, |command| match command {
            TerminalCommand::Text(text) => match commands.last_mut() {
                Some(last) if last.starts_with("text ") => last.push_str(text),
                _ => commands.push(format!("text {text}")),
            },
            other => commands.push(format!("{other:?}")),
        });
    }
    commands
}

fn any_sequence() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[a-zé ]{0,8}",
        "\u{1b}\\[[0-9;:?]{0,8}[a-zA-Z]",
        "\u{1b}\\][0-9]{1,2};[a-z;:/]{0,20}(\u{7}|\u{1b}\\\\)?",
        "\u{1b}[P_^X(].{0,10}(\u{1b}\\\\)?",
        any::<String>(),
        Just("\r".to_owned()),
        Just("\u{8}".to_owned()),
        Just("\u{1b}".to_owned()),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_split_of_the_input_has_the_same_commands(text in any_sequence(), at in any::<prop::sample::Index>()) {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (front, back) = text.split_at(boundaries[at.index(boundaries.len())]);
        prop_assert_eq!(commands(&[front, back]), commands(&[&text]));
    }

    #[test]
    fn no_escape_is_ever_shown(text in any_sequence()) {
        Parser::default().feed(&text, |command| {
            if let TerminalCommand::Text(text) = command {
                assert!(!text.contains(['\u{1b}', '\r', '\u{8}']));
            }
        });
    }
}

#[test]
fn an_endless_payload_is_bounded_and_has_no_effect() {
    let mut parser = Parser::default();
    let mut commands = 0;
    parser.feed("\u{1b}]8;;https://x/", |_| commands += 1);
    for _ in 0..1000 {
        parser.feed(&"x".repeat(1000), |_| commands += 1);
    }
    assert!(parser.payload.len() <= MAX_PAYLOAD_BYTES);
    parser.feed("\u{7}", |_| commands += 1);
    assert_eq!(commands, 0);
}

/// Commands as the parser of Alacritty finds them.
#[derive(Default)]
struct Reference(Vec<String>);

impl Reference {
    fn of(text: &str) -> Vec<String> {
        let mut reference = Self::default();
        vte::Parser::new().advance(&mut reference, text.as_bytes());
        reference.0
    }

    fn push(&mut self, command: Option<TerminalCommand<'_>>) {
        self.0.extend(command.map(|command| format!("{command:?}")));
    }
}

impl vte::Perform for Reference {
    fn print(&mut self, character: char) {
        match self.0.last_mut() {
            Some(last) if last.starts_with("text ") => last.push(character),
            _ => self.0.push(format!("text {character}")),
        }
    }

    fn execute(&mut self, byte: u8) {
        self.push(match byte {
            b'\r' => Some(TerminalCommand::CarriageReturn),
            8 => Some(TerminalCommand::Backspace),
            _ => None,
        });
    }

    fn csi_dispatch(&mut self, parameters: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        let mut own = Parameters::default();
        for group in parameters {
            own.starts.push(own.numbers.len());
            own.numbers.extend(group);
        }
        if own.numbers == [0] {
            own.clear();
        }
        if intermediates.is_empty() {
            self.push(command(action, &own));
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
        self.push(match byte {
            _ if !intermediates.is_empty() => None,
            b'7' => Some(TerminalCommand::SaveCursor),
            b'8' => Some(TerminalCommand::RestoreCursor),
            b'M' => Some(TerminalCommand::MoveRows { rows: -1, is_to_start: false }),
            _ => None,
        });
    }

    fn osc_dispatch(&mut self, parameters: &[&[u8]], _: bool) {
        if let [b"8", _, rest @ ..] = parameters {
            let url = String::from_utf8_lossy(&rest.join(&b';')).into_owned();
            self.push(Some(TerminalCommand::Link(Some(&*url).filter(|url| !url.is_empty()))));
        }
    }
}

proptest! {
    #[test]
    fn commands_are_those_of_the_parser_of_alacritty(
        text in "(([a-z ]|\u{1b}\\[[0-9;:]{0,8}[@-~]|\u{1b}[78McD(=][ -/]?|\u{1b}\\][08];[a-z;]{0,6}(\u{7}|\u{1b}\\\\)|\u{1b}[P^_X][a-z0-9;+$]{0,6}\u{1b}\\\\|\u{1b}\\[|[\r\u{8}\u{18}\u{1a}\u{1b}?>!])\u{0}{0,1}){0,24}",
    ) {
        // Other control characters are text here, and the page shows them.
        let without_controls = |list: Vec<String>| {
            let list = list.into_iter().map(|command| command.replace(char::is_control, ""));
            // A parameter 0 means the same as none.
            let list = list.map(|command| command.replace("numbers: [0], starts: [0]", "numbers: [], starts: []"));
            list.filter(|command| command != "text ").collect::<Vec<_>>()
        };
        prop_assert_eq!(without_controls(commands(&[&text])), without_controls(Reference::of(&text)));
    }
}

/// Inputs of the same kinds as those of the tests of `vte`.
#[test]
fn sequences_of_every_kind_are_parsed() {
    let sgr = |input: &str| {
        let mut groups = Vec::new();
        Parser::default().feed(input, |command| {
            if let TerminalCommand::Sgr(parameters) = command {
                groups = parameters.groups().map(<[u16]>::to_vec).collect();
            }
        });
        groups
    };
    assert_eq!(sgr("\u{1b}[7;m"), [[7], [0]], "a semicolon at the end");
    assert_eq!(sgr("\u{1b}[;7m"), [[0], [7]], "a semicolon at the beginning");
    assert_eq!(sgr("\u{1b}[99999999999999999999m"), [[u16::MAX]], "a long number");
    assert_eq!(sgr("\u{1b}[48:2:1:0:2;4m"), [vec![48, 2, 1, 0, 2], vec![4]], "numbers behind colons");
    assert_eq!(sgr(&format!("\u{1b}[{}m", "1;".repeat(MAX_PARAMETERS))).len(), MAX_PARAMETERS);
    assert_eq!(
        sgr(&format!("\u{1b}[{}m", "1;".repeat(9 * MAX_PARAMETERS))).len(),
        MAX_PARAMETERS,
        "too many"
    );
    assert_eq!(
        sgr(&format!("\u{1b}[{}m", ":".repeat(MAX_PARAMETERS))),
        [vec![0; MAX_PARAMETERS]],
        "too many behind colons"
    );
    for (input, expected) in [
        ("\u{1b}[3;1\u{1b}[?25hx", vec!["text x"]),
        ("\u{1b}[3;1\u{1b}(Bx", vec!["text x"]),
        ("\u{1b}[?2004l\u{1b}#8x", vec!["text x"]),
        ("\u{1b}[3;1\u{1b}P1$tx\u{1b}\\y", vec!["text y"]),
        ("\u{1b}P0;1|17/ab\u{7}c\u{1b}\\y", vec!["text y"]),
        ("\u{1b}P=1sZZZ\u{1b}+\\y", vec!["text y"]),
        ("\u{1b}]2;\u{672b}\u{1b}\\x", vec!["text x"]),
        ("\u{1b}]11;ff/00/ff\u{7}x", vec!["text x"]),
        ("\u{1b}]\u{7}x", vec!["text x"]),
        ("\u{1b}]8;id=1;https://x/;y\u{7}", vec!["Link(Some(\"https://x/;y\"))"]),
        ("\u{1b}]8;;https://x/\u{18}y", vec!["text y"]),
        ("a\u{fffd}b", vec!["text a\u{fffd}b"]),
        ("\u{1f389}_\u{1f980}", vec!["text \u{1f389}_\u{1f980}"]),
    ] {
        assert_eq!(commands(&[input]), expected, "{input:?}");
    }
}
