//! SOQL, the subset that a grant scanner speaks: text to tokens to a tree ([`parser`]), the tree
//! checked against the schema ([`plan`]), the plan run over the tables ([`eval`]). It knows no HTTP.

pub(crate) mod dates;
pub(crate) mod eval;
pub(crate) mod lexer;
pub(crate) mod parser;
pub(crate) mod plan;

use crate::salesforce::error::Refusal;

/// Why a query is refused, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    code: &'static str,
    message: String,
    at: Option<usize>,
}

impl QueryError {
    /// The text is not SOQL, or asks what SOQL cannot.
    pub(crate) fn malformed(message: impl Into<String>, at: usize) -> Self {
        Self { code: "MALFORMED_QUERY", message: message.into(), at: Some(at) }
    }

    /// A column that is not there or cannot be used so.
    pub(crate) fn field(message: impl Into<String>, at: usize) -> Self {
        Self { code: "INVALID_FIELD", message: message.into(), at: Some(at) }
    }

    /// An object that is not there, or not for this caller.
    pub(crate) fn object(name: &str, at: usize) -> Self {
        let message = format!(
            "sObject type '{name}' is not supported. If you are attempting to use a custom object, \
             be sure to append the '__c' after the entity name. Please reference your WSDL or the \
             describe call for the appropriate names."
        );
        Self { code: "INVALID_TYPE", message, at: Some(at) }
    }

    /// Any other refusal, without a place in the text.
    pub(crate) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at: None }
    }

    /// The platform's message: the part of the query around the place, a caret, row and column.
    pub(crate) fn refusal(&self, soql: &str) -> Refusal {
        let Some(at) = self.at else {
            return Refusal::new(400, self.code, self.message.clone());
        };
        let before: Vec<char> = soql.chars().take(at).collect();
        let row = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        let shown_from = before.len().saturating_sub(60);
        let excerpt: String = soql
            .chars()
            .skip(shown_from)
            .take(120)
            .map(|c| if c == '\n' { ' ' } else { c })
            .collect();
        let caret = " ".repeat(before.len() - shown_from);
        let message =
            format!("\n{excerpt}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{}", self.message);
        Refusal::new(400, self.code, message)
    }
}
