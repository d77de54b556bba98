//! What a filter says of one connection.

use std::borrow::Cow;

use super::{
    Subject,
    expression::{Comparison, Expression, Function, Literal},
};

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value<'a> {
    Null,
    Bool(bool),
    Number(i64),
    Text(Cow<'a, str>),
}

impl<'a> Value<'a> {
    fn of(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }
}

/// Whether the expression is true of `subject`.
pub(super) fn is_true<G: AsRef<str>>(expression: &Expression, subject: &Subject<'_, G>) -> bool {
    value(expression, subject) == Value::Bool(true)
}

fn value<'a, G: AsRef<str>>(expression: &'a Expression, subject: &Subject<'a, G>) -> Value<'a> {
    match expression {
        Expression::Literal(Literal::Null) => Value::Null,
        Expression::Literal(Literal::Bool(truth)) => Value::Bool(*truth),
        Expression::Literal(Literal::Number(number)) => Value::Number(*number),
        Expression::Literal(Literal::Text(text)) => Value::of(Some(text)),
        Expression::UserId => Value::of(subject.user_id),
        Expression::ConnectionId => Value::of(Some(subject.connection_id)),
        Expression::Protocol => Value::of(subject.protocol),
        Expression::Not(operand) => Value::Bool(!is_true(operand, subject)),
        Expression::All(operands) => Value::Bool(operands.iter().all(|operand| is_true(operand, subject))),
        Expression::Any(operands) => Value::Bool(operands.iter().any(|operand| is_true(operand, subject))),
        Expression::Compare(comparison, left, right) => {
            Value::Bool(holds(*comparison, &value(left, subject), &value(right, subject)))
        }
        Expression::InGroups(left) => {
            let Value::Text(wanted) = value(left, subject) else { return Value::Bool(false) };
            Value::Bool(subject.groups.iter().any(|group| group.as_ref() == wanted))
        }
        Expression::InList(left, items) => {
            let wanted = value(left, subject);
            Value::Bool(items.iter().any(|item| value(item, subject) == wanted))
        }
        Expression::CountOfGroups => Value::Number(count(subject.groups.len())),
        Expression::Call(function, arguments) => call(*function, arguments, subject),
    }
}

/// Numbers only are ordered; what is null is neither more nor less than anything.
fn holds(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> bool {
    let ordered = |fits: fn(&i64, &i64) -> bool| match (left, right) {
        (Value::Number(left), Value::Number(right)) => fits(left, right),
        _ => false,
    };
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Greater => ordered(i64::gt),
        Comparison::GreaterOrEqual => ordered(i64::ge),
        Comparison::Less => ordered(i64::lt),
        Comparison::LessOrEqual => ordered(i64::le),
    }
}

/// Functions of null are null, predicates of it false, and it is found nowhere.
fn call<'a, G: AsRef<str>>(
    function: Function,
    arguments: &'a [Expression],
    subject: &Subject<'a, G>,
) -> Value<'a> {
    let mut values = arguments.iter().map(|argument| value(argument, subject));
    let (first, second, third) = (values.next(), values.next(), values.next());
    let (Some(Value::Text(text)), second, third) = (first, second.unwrap_or(Value::Null), third) else {
        return of_null(function);
    };
    match (function, second) {
        (Function::ToLower, _) => Value::Text(text.to_lowercase().into()),
        (Function::ToUpper, _) => Value::Text(text.to_uppercase().into()),
        (Function::Trim, _) => Value::Text(text.trim().to_owned().into()),
        (Function::Length, _) => Value::Number(count(text.chars().count())),
        (Function::Concat, Value::Text(other)) => Value::Text((text.into_owned() + &other).into()),
        (Function::IndexOf, Value::Text(part)) => Value::Number(index_of(&text, &part)),
        (Function::Contains, Value::Text(part)) => Value::Bool(text.contains(&*part)),
        (Function::StartsWith, Value::Text(part)) => Value::Bool(text.starts_with(&*part)),
        (Function::EndsWith, Value::Text(part)) => Value::Bool(text.ends_with(&*part)),
        (Function::Substring, Value::Number(start)) => Value::Text(substring(&text, start, third).into()),
        _ => of_null(function),
    }
}

fn of_null(function: Function) -> Value<'static> {
    match function {
        Function::IndexOf => Value::Number(-1),
        Function::Contains | Function::StartsWith | Function::EndsWith => Value::Bool(false),
        _ => Value::Null,
    }
}

/// Positions count characters, from zero.
fn index_of(text: &str, part: &str) -> i64 {
    let before = text.find(part).and_then(|at| text.get(..at));
    before.map_or(-1, |before| count(before.chars().count()))
}

/// What lies outside the text is left out.
fn substring(text: &str, start: i64, length: Option<Value<'_>>) -> String {
    let start = usize::try_from(start).unwrap_or(0);
    let length = match length {
        Some(Value::Number(length)) => usize::try_from(length).unwrap_or(0),
        _ => usize::MAX,
    };
    text.chars().skip(start).take(length).collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
