//! What a filter says.

use std::fmt;

/// An expression whose types fit.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Literal(Literal),
    UserId,
    ConnectionId,
    Protocol,
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    InGroups(Box<Expression>),
    InList(Box<Expression>, Vec<Expression>),
    CountOfGroups,
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    ToLower,
    ToUpper,
    Trim,
    Concat,
    Substring,
    IndexOf,
    Length,
    Contains,
    StartsWith,
    EndsWith,
}

/// What an expression is. Texts and numbers may turn out to be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Number,
    Text,
    Groups,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Groups => "the groups",
        })
    }
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "tolower" => Self::ToLower,
            "toupper" => Self::ToUpper,
            "trim" => Self::Trim,
            "concat" => Self::Concat,
            "substring" => Self::Substring,
            "indexof" => Self::IndexOf,
            "length" => Self::Length,
            "contains" => Self::Contains,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }

    /// What it takes; the last may be left out when `optional_last`.
    pub(super) fn parameters(self) -> (&'static [Type], bool) {
        match self {
            Self::ToLower | Self::ToUpper | Self::Trim | Self::Length => (&[Type::Text], false),
            Self::Concat | Self::IndexOf | Self::Contains | Self::StartsWith | Self::EndsWith => {
                (&[Type::Text, Type::Text], false)
            }
            Self::Substring => (&[Type::Text, Type::Number, Type::Number], true),
        }
    }

    pub(super) fn result(self) -> Type {
        match self {
            Self::ToLower | Self::ToUpper | Self::Trim | Self::Concat | Self::Substring => Type::Text,
            Self::IndexOf | Self::Length => Type::Number,
            Self::Contains | Self::StartsWith | Self::EndsWith => Type::Bool,
        }
    }
}
