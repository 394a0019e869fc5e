//! `SELECT`: of values without a table, and of tables of users.

use super::*;
use crate::sql::keyword::{quote_ident, quote_literal};
use crate::sql::statement::{Column, Lookup, Scalar, Table};

impl Reader<'_> {
    pub(super) fn select(&mut self) -> Read<Statement> {
        if matches!(self.tokens, [first, ..] if first.token.is("EXISTS")) {
            return self.exists();
        }
        if matches!(self.tokens, [first, ..] if first.token.is("pg_terminate_backend")) {
            return self.terminate();
        }
        if self.tokens.iter().any(|placed| placed.token.is("FROM")) {
            return self.lookup().map(Statement::Users);
        }
        let mut scalars = Vec::new();
        loop {
            let start = self.tokens;
            let scalar = self.scalar()?;
            let label = match start.first().map(|placed| &placed.token) {
                Some(Token::Word(_)) if matches!(scalar, Scalar::Truth(_)) => String::new(),
                Some(Token::Word(word)) if self.engine.is_postgres() => word.to_ascii_lowercase(),
                _ => String::new(),
            };
            let is_named = self.tokens.first().is_some_and(|next| next.token.is("AS"));
            let label = match (&scalar, self.label(start, label)?) {
                (Scalar::Truth(_), label) if !is_named && !self.engine.is_postgres() => {
                    label.to_ascii_uppercase()
                }
                (_, label) => label,
            };
            scalars.push((scalar, label));
            if !self.mark(',') {
                return Ok(Statement::Select(scalars));
            }
        }
    }

    fn scalar(&mut self) -> Read<Scalar> {
        let postgres = self.engine.is_postgres();
        Ok(match self.next()?.clone() {
            Token::Number(number) => Scalar::Number(self.sum(number)?),
            Token::Text(text) => Scalar::Text(text),
            Token::Mark('@') if !postgres => {
                need(self.mark('@') && self.word("version"))?;
                Scalar::Version
            }
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "now" => {
                    need(self.mark('(') && self.mark(')'))?;
                    Scalar::Now
                }
                "version" => {
                    need(self.mark('(') && self.mark(')'))?;
                    Scalar::Version
                }
                "current_timestamp" => {
                    need(!self.mark('(') || !postgres && self.mark(')'))?;
                    Scalar::Now
                }
                "current_user" => {
                    need(!self.mark('(') || !postgres && self.mark(')'))?;
                    Scalar::User
                }
                "true" => Scalar::Truth(true),
                "false" => Scalar::Truth(false),
                "user" | "session_user" | "system_user" if !postgres => self.bare(Scalar::Caller)?,
                "database" | "schema" if !postgres => self.bare(Scalar::Database)?,
                "current_database" if postgres => self.bare(Scalar::Database)?,
                "connection_id" if !postgres => self.bare(Scalar::Session)?,
                "pg_backend_pid" if postgres => self.bare(Scalar::Session)?,
                "session_user" | "user" if postgres => Scalar::User,
                "quote_ident" if postgres => Scalar::Text(quote_ident(&self.argument()?)),
                "quote_literal" if postgres => Scalar::Text(quote_literal(&self.argument()?)),
                _ => return Err(Unread::Unknown),
            },
            Token::Name(_) | Token::Mark(_) => return Err(Unread::Unknown),
        })
    }

    /// A function without arguments.
    fn bare(&mut self, scalar: Scalar) -> Read<Scalar> {
        need(self.mark('(') && self.mark(')')).map(|()| scalar)
    }

    /// What is added to a number, and taken from it.
    fn sum(&mut self, first: i64) -> Read<i64> {
        let mut sum = first;
        loop {
            let sign = if self.mark('+') { 1 } else { -1 };
            if sign == -1 && !self.mark('-') {
                return Ok(sum);
            }
            let Token::Number(next) = *self.next()? else { return Err(Unread::Unknown) };
            sum = next.checked_mul(sign).and_then(|next| sum.checked_add(next)).ok_or(Unread::Unknown)?;
            // Beyond it, PostgreSQL's numbers are too long.
            need(sum.unsigned_abs() < 1 << 31)?;
        }
    }

    /// `EXISTS (SELECT …)`
    fn exists(&mut self) -> Read<Statement> {
        let start = self.tokens;
        need(self.word("EXISTS") && self.mark('(') && self.word("SELECT"))?;
        let found = self.lookup()?;
        need(self.mark(')'))?;
        let label = self.label(start, "exists".to_owned())?;
        Ok(Statement::Exists(found, label))
    }

    /// `pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '…' AND pid <> pg_backend_pid()`
    fn terminate(&mut self) -> Read<Statement> {
        let start = self.tokens;
        need(self.word("pg_terminate_backend") && self.mark('('))?;
        need(self.word("pid") && self.mark(')'))?;
        let label = self.label(start, "pg_terminate_backend".to_owned())?;
        need(self.word("FROM") && self.word("pg_stat_activity") && self.word("WHERE"))?;
        let (mut user, mut spares_own) = (None, false);
        loop {
            if self.word("usename") {
                need(self.mark('=') && user.is_none())?;
                user = Some(self.text()?);
            } else {
                need(
                    self.word("pid")
                        && (self.mark('<') && self.mark('>') || self.mark('!') && self.mark('=')),
                )?;
                need(self.word("pg_backend_pid") && self.mark('(') && self.mark(')'))?;
                spares_own = true;
            }
            if !self.word("AND") {
                return Ok(Statement::Terminate { user: user.ok_or(Unread::Unknown)?, spares_own, label });
            }
        }
    }

    /// `('text')` or `('text'::text)`.
    fn argument(&mut self) -> Read<String> {
        need(self.mark('('))?;
        let text = self.text()?;
        if self.mark(':') {
            need(self.mark(':') && self.word("text"))?;
        }
        need(self.mark(')'))?;
        Ok(text)
    }

    /// How a column is called: as `AS` says; else PostgreSQL has a name for it, or none; MySQL takes
    /// what was written.
    fn label(&mut self, start: &[Placed], named: String) -> Read<String> {
        let written = &start[..start.len() - self.tokens.len()];
        if self.word("AS") {
            return match self.next()?.clone() {
                Token::Word(name) if self.engine.is_postgres() => Ok(name.to_ascii_lowercase()),
                Token::Word(name) | Token::Name(name) => Ok(name),
                Token::Text(_) | Token::Number(_) | Token::Mark(_) => Err(Unread::Unknown),
            };
        }
        if self.engine.is_postgres() {
            return Ok(if named.is_empty() { "?column?".to_owned() } else { named });
        }
        Ok(match written {
            [Placed { token: Token::Text(text) | Token::Name(text), .. }] => text.clone(),
            [first, .., last] => self.sql[first.from..last.to].to_owned(),
            [only] => self.sql[only.from..only.to].to_owned(),
            [] => String::new(),
        })
    }

    fn lookup(&mut self) -> Read<Lookup> {
        let mut columns = Vec::new();
        loop {
            let start = self.tokens;
            let column = match self.next()?.clone() {
                Token::Word(word) if word.eq_ignore_ascii_case("count") => {
                    need(self.mark('(') && (self.mark('*') || matches!(self.next()?, Token::Number(_))))?;
                    need(self.mark(')'))?;
                    Column::Count
                }
                Token::Word(word) | Token::Name(word) => Column::Named(word.to_ascii_lowercase()),
                Token::Number(number) => Column::Number(number),
                Token::Text(text) => Column::Text(text),
                Token::Mark('*') => Column::All,
                Token::Mark(_) => return Err(Unread::Unknown),
            };
            let named = match &column {
                Column::Count => "count".to_owned(),
                Column::Named(name) => name.clone(),
                Column::Number(_) | Column::Text(_) | Column::All => String::new(),
            };
            let label = self.label(start, named)?;
            columns.push((column, label));
            if !self.mark(',') {
                break;
            }
        }
        let counts = columns.iter().any(|(column, _)| *column == Column::Count);
        let names = columns.iter().any(|(column, _)| matches!(column, Column::Named(_) | Column::All));
        need(!(counts && names))?;
        need(self.word("FROM"))?;
        let table = self.table()?;
        let mut wanted = Vec::new();
        if self.word("WHERE") {
            loop {
                let column = self.name()?.to_ascii_lowercase();
                need(self.mark('='))?;
                wanted.push((column, self.text()?));
                if !self.word("AND") {
                    break;
                }
            }
        }
        // They come so anyway.
        if self.words(&["ORDER", "BY"])? {
            need(!counts && ["rolname", "usename", "user"].iter().any(|name| self.word(name)))?;
            self.word("ASC");
        }
        let limit = match self.word("LIMIT").then(|| self.next().cloned()).transpose()? {
            None => None,
            Some(Token::Number(limit)) => Some(usize::try_from(limit).map_err(|_| Unread::Unknown)?),
            Some(_) => return Err(Unread::Unknown),
        };
        Ok(Lookup { table, columns, wanted, limit })
    }

    fn table(&mut self) -> Read<Table> {
        let first = self.name()?.to_ascii_lowercase();
        let (space, table) =
            if self.mark('.') { (Some(first), self.name()?.to_ascii_lowercase()) } else { (None, first) };
        match (self.engine.is_postgres(), space.as_deref(), table.as_str()) {
            (true, None | Some("pg_catalog"), "pg_roles") => Ok(Table::Roles),
            (true, None | Some("pg_catalog"), "pg_user") => Ok(Table::User),
            (true, None | Some("pg_catalog"), "pg_authid") => Ok(Table::Authid),
            (true, None | Some("pg_catalog"), "pg_shadow") => Ok(Table::Shadow),
            (false, Some("mysql"), "user") => Ok(Table::Mysql),
            _ => Err(Unread::Unknown),
        }
    }
}
