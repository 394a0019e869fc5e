//! A published incident, of which a scenario is the pattern.
//!
//! It exists so that a finding can say what it is like. It deliberately claims nothing about the
//! product that it happened to, today.

use crate::error::Mistake;
use crate::file::IncidentTable;
use toml::Spanned;

/// What happened, where to read of it, and which decision it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Public id, like `hashicorp/vault#6042`, or URL.
    pub reference: String,
    pub symptom: String,
    pub cause: String,
}

impl Incident {
    pub(crate) fn parse(table: &IncidentTable) -> Result<Self, Mistake> {
        Ok(Incident {
            reference: reference(&table.reference)?,
            symptom: sentence("symptom", &table.symptom)?,
            cause: sentence("cause", &table.cause)?,
        })
    }
}

fn reference(spanned: &Spanned<String>) -> Result<String, Mistake> {
    let text = spanned.get_ref();
    let fits = |each: char| each.is_ascii_alphanumeric() || "-_./#:?=&%+~".contains(each);
    if text.len() < 3 || text.len() > REFERENCE_MAX || !text.chars().all(fits) {
        let remedy = "name one public thread or page, like `hashicorp/vault#6042`";
        return Err(Mistake::new(spanned.span(), "`reference` is no public id or URL", remedy)
            .expected(format!("3 to {REFERENCE_MAX} letters, digits and -_./#:?=&%+~"))
            .got(text));
    }
    Ok(text.clone())
}

fn sentence(key: &str, spanned: &Spanned<String>) -> Result<String, Mistake> {
    let text = spanned.get_ref().trim();
    if text.len() < 10 || text.len() > SENTENCE_MAX || text.chars().any(char::is_control) {
        let problem = format!("`{key}` is no sentence");
        return Err(Mistake::new(spanned.span(), problem, "say it in one or two sentences of your own")
            .expected(format!("one line of 10 to {SENTENCE_MAX} bytes")));
    }
    Ok(text.to_owned())
}

const REFERENCE_MAX: usize = 120;
const SENTENCE_MAX: usize = 300;
