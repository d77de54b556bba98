//! From words to an expression, types checked on the way.

use super::{
    FilterError, MAX_NESTING,
    expression::{Comparison, Expression, Function, Literal, Type},
    token::{Kind, Token, tokens},
};

type Typed = (Expression, Type);

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Typed, FilterError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0 };
    let parsed = parser.or()?;
    match parser.peek() {
        None => Ok(parsed),
        Some(_) => Err(parser.fault_here("an operator or the end is expected")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |token| token.position)
    }

    fn fault_here(&self, message: impl Into<String>) -> FilterError {
        FilterError { position: self.position(), message: message.into() }
    }

    fn skip(&mut self, kind: &Kind) -> bool {
        let is_there = self.peek() == Some(kind);
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.peek(), Some(Kind::Word(given)) if given == word);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, kind: &Kind, name: &str) -> Result<(), FilterError> {
        if self.skip(kind) { Ok(()) } else { Err(self.fault_here(format!("`{name}` is expected"))) }
    }

    /// Runs one level deeper, unless that is too deep.
    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth >= MAX_NESTING {
            return Err(self.fault_here(format!("the filter is nested more than {MAX_NESTING} deep")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn or(&mut self) -> Result<Typed, FilterError> {
        self.chain("or", Self::and, Expression::Any)
    }

    fn and(&mut self) -> Result<Typed, FilterError> {
        self.chain("and", Self::unary, Expression::All)
    }

    fn chain(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Result<Typed, FilterError>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Typed, FilterError> {
        let position = self.position();
        let (first, kind) = operand(self)?;
        if !self.skip_word(word) {
            return Ok((first, kind));
        }
        require(kind, Type::Bool, position, word)?;
        let mut operands = vec![first];
        loop {
            let position = self.position();
            let (next, kind) = operand(self)?;
            require(kind, Type::Bool, position, word)?;
            operands.push(next);
            if !self.skip_word(word) {
                return Ok((join(operands), Type::Bool));
            }
        }
    }

    /// `not` binds tighter than a comparison.
    fn unary(&mut self) -> Result<Typed, FilterError> {
        if !self.skip_word("not") {
            return self.comparison();
        }
        let position = self.position();
        let is_not = matches!(self.peek(), Some(Kind::Word(word)) if word == "not");
        let (operand, kind) = self.nested(|parser| if is_not { parser.unary() } else { parser.primary() })?;
        require(kind, Type::Bool, position, "not")?;
        Ok((Expression::Not(Box::new(operand)), Type::Bool))
    }

    fn comparison(&mut self) -> Result<Typed, FilterError> {
        let position = self.position();
        let (left, left_kind) = self.primary()?;
        let Some(Kind::Word(word)) = self.peek() else { return Ok((left, left_kind)) };
        let word = word.clone();
        if word == "in" {
            self.at += 1;
            require_scalar(left_kind, position)?;
            return Ok((self.list(left)?, Type::Bool));
        }
        let Some(comparison) = comparison(&word) else { return Ok((left, left_kind)) };
        self.at += 1;
        let right_position = self.position();
        let (right, right_kind) = self.primary()?;
        for (kind, position) in [(left_kind, position), (right_kind, right_position)] {
            require_scalar(kind, position)?;
            let is_ordering = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            if is_ordering && !matches!(kind, Type::Number | Type::Null) {
                return Err(FilterError {
                    position,
                    message: format!("`{word}` compares numbers, and this is {kind}"),
                });
            }
        }
        Ok((Expression::Compare(comparison, Box::new(left), Box::new(right)), Type::Bool))
    }

    /// What follows `in`: `groups`, or a list, either in any number of parentheses.
    fn list(&mut self, left: Expression) -> Result<Expression, FilterError> {
        if self.skip_word("groups") {
            return Ok(Expression::InGroups(Box::new(left)));
        }
        self.expect(&Kind::Open, "(")?;
        let is_list_inside = match self.peek() {
            Some(Kind::Open) => true,
            Some(Kind::Word(word)) => word == "groups",
            _ => false,
        };
        let expression = if is_list_inside {
            self.nested(|parser| parser.list(left))?
        } else {
            let mut items = Vec::new();
            loop {
                let position = self.position();
                let (item, kind) = self.primary()?;
                require_scalar(kind, position)?;
                items.push(item);
                if !self.skip(&Kind::Comma) {
                    break;
                }
            }
            Expression::InList(Box::new(left), items)
        };
        self.expect(&Kind::Close, ")")?;
        Ok(expression)
    }

    fn primary(&mut self) -> Result<Typed, FilterError> {
        let Some(token) = self.tokens.get(self.at) else {
            return Err(self.fault_here("the filter ends where a value is expected"));
        };
        let literal = |literal, kind| Ok((Expression::Literal(literal), kind));
        match &token.kind {
            Kind::Open => {
                self.at += 1;
                let inside = self.nested(Self::or)?;
                self.expect(&Kind::Close, ")")?;
                return Ok(inside);
            }
            Kind::Comma | Kind::Close => return Err(self.fault_here("a value is expected")),
            _ => self.at += 1,
        }
        match &token.kind {
            Kind::Text(text) => literal(Literal::Text(text.clone()), Type::Text),
            Kind::Number(number) => literal(Literal::Number(*number), Type::Number),
            Kind::Word(word) => match word.as_str() {
                "null" => literal(Literal::Null, Type::Null),
                "true" => literal(Literal::Bool(true), Type::Bool),
                "false" => literal(Literal::Bool(false), Type::Bool),
                "userid" => Ok((Expression::UserId, Type::Text)),
                "connectionid" => Ok((Expression::ConnectionId, Type::Text)),
                "protocol" => Ok((Expression::Protocol, Type::Text)),
                "groups" => Ok((Expression::CountOfGroups, Type::Groups)),
                name => match Function::named(name) {
                    Some(function) => self.nested(|parser| parser.call(function)),
                    None => {
                        let message = format!("`{name}` is neither a property nor a function");
                        Err(FilterError { position: token.position, message })
                    }
                },
            },
            Kind::Open | Kind::Close | Kind::Comma => Err(self.fault_here("a value is expected")),
        }
    }

    fn call(&mut self, function: Function) -> Result<Typed, FilterError> {
        self.expect(&Kind::Open, "(")?;
        let (parameters, optional_last) = function.parameters();
        let mut arguments = Vec::new();
        for (index, parameter) in parameters.iter().enumerate() {
            if index > 0 && !self.skip(&Kind::Comma) {
                if optional_last && index + 1 == parameters.len() {
                    break;
                }
                return Err(self.fault_here("`,` is expected"));
            }
            let position = self.position();
            let (argument, kind) = self.or()?;
            if function == Function::Length && kind == Type::Groups {
                self.expect(&Kind::Close, ")")?;
                return Ok((Expression::CountOfGroups, Type::Number));
            }
            if kind != *parameter && kind != Type::Null {
                return Err(FilterError {
                    position,
                    message: format!("{parameter} is expected, and this is {kind}"),
                });
            }
            arguments.push(argument);
        }
        self.expect(&Kind::Close, ")")?;
        Ok((Expression::Call(function, arguments), function.result()))
    }
}

fn comparison(word: &str) -> Option<Comparison> {
    Some(match word {
        "eq" => Comparison::Equal,
        "ne" => Comparison::NotEqual,
        "gt" => Comparison::Greater,
        "ge" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "le" => Comparison::LessOrEqual,
        _ => return None,
    })
}

fn require(kind: Type, wanted: Type, position: usize, operator: &str) -> Result<(), FilterError> {
    if kind == wanted {
        return Ok(());
    }
    Err(FilterError { position, message: format!("`{operator}` takes {wanted}, and this is {kind}") })
}

fn require_scalar(kind: Type, position: usize) -> Result<(), FilterError> {
    if kind == Type::Groups {
        let message = "the groups can only follow `in` or be counted by `length`".to_owned();
        return Err(FilterError { position, message });
    }
    Ok(())
}
