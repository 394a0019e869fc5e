//! `GRANT` and `REVOKE`, of roles and of privileges.

use super::*;
use crate::sql::keyword::quote_ident;
use crate::sql::privilege::{Kind, OPTION, Object};

impl Reader<'_> {
    pub(super) fn grant(&mut self) -> Read<Statement> {
        if !self.has("ON") {
            need(self.engine.is_postgres())?;
            let roles = self.users()?;
            need(self.word("TO"))?;
            return Ok(Statement::GrantRole { roles, to: self.users()? });
        }
        let (mut privileges, on) = self.privileges("TO")?;
        let to = self.grantees()?;
        if self.engine.is_postgres() {
            // `WITH GRANT OPTION` is left over, and so refused.
            return Ok(Statement::Grant { privileges, on, to, password: None, tls: None });
        }
        let mariadb = self.engine == Engine::Mariadb;
        let says_more = self.has("IDENTIFIED") || self.has("REQUIRE");
        // MySQL 8 took these away from GRANT.
        (mariadb || !says_more).then_some(()).ok_or_else(|| wrong(self.engine))?;
        let password = self.identified()?;
        let tls = if self.word("REQUIRE") { Some(self.tls()?) } else { None };
        if self.words(&["WITH", "GRANT", "OPTION"])? {
            privileges.push(OPTION.to_owned());
        }
        Ok(Statement::Grant { privileges, on, to, password, tls })
    }

    pub(super) fn revoke(&mut self) -> Read<Statement> {
        if !self.has("ON") {
            if self.engine.is_postgres() {
                let roles = self.users()?;
                need(self.word("FROM"))?;
                return Ok(Statement::RevokeRole { roles, from: self.users()? });
            }
            need(self.word("ALL"))?;
            self.word("PRIVILEGES");
            need(self.mark(',') && self.words(&["GRANT", "OPTION"])? && self.word("FROM"))?;
            return Ok(Statement::RevokeAll { from: self.user()? });
        }
        let (privileges, on) = self.privileges("FROM")?;
        Ok(Statement::Revoke { privileges, on, from: self.grantees()? })
    }

    fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|placed| placed.token.is(word))
    }

    /// MySQL's list of users is not modelled: it is worked off one by one, also after a failure.
    fn grantees(&mut self) -> Read<Vec<String>> {
        if self.engine.is_postgres() {
            self.word("GROUP");
            let users = self.users()?;
            need(!users.iter().any(|user| user == "public"))?;
            return Ok(users);
        }
        Ok(vec![self.user()?])
    }

    /// Names of privileges, and what they are on, up to a word.
    fn privileges(&mut self, until: &str) -> Read<(Vec<String>, Object)> {
        let mut names = Vec::new();
        let mut name = String::new();
        loop {
            match self.next()?.clone() {
                Token::Word(word) if word.eq_ignore_ascii_case("ON") => break,
                Token::Word(word) => {
                    let between = if name.is_empty() { "" } else { " " };
                    name.push_str(between);
                    name.push_str(&word.to_ascii_uppercase());
                }
                Token::Mark(',') if !name.is_empty() => names.push(std::mem::take(&mut name)),
                Token::Mark(_) | Token::Name(_) | Token::Text(_) | Token::Number(_) => {
                    return Err(Unread::Unknown);
                }
            }
        }
        need(!name.is_empty())?;
        names.push(name);
        let on = if self.engine.is_postgres() { self.object()? } else { self.place()? };
        need(self.word(until))?;
        Ok((names, on))
    }

    /// PostgreSQL's, in one spelling.
    fn object(&mut self) -> Read<Object> {
        let kind = if self.word("ALL") {
            let kind = if self.word("TABLES") {
                Kind::AllTables
            } else {
                need(self.word("SEQUENCES"))?;
                Kind::AllSequences
            };
            need(self.words(&["IN", "SCHEMA"])?)?;
            kind
        } else if self.word("SCHEMA") {
            Kind::Schema
        } else if self.word("DATABASE") {
            Kind::Database
        } else if self.word("SEQUENCE") {
            Kind::Sequence
        } else {
            self.word("TABLE");
            Kind::Table
        };
        let mut name = self.part()?;
        if matches!(kind, Kind::Table | Kind::Sequence) && self.mark('.') {
            name = format!("{name}.{}", self.part()?);
        }
        let told = match kind {
            Kind::AllTables => "ALL TABLES IN SCHEMA ",
            Kind::AllSequences => "ALL SEQUENCES IN SCHEMA ",
            Kind::Schema => "SCHEMA ",
            Kind::Database => "DATABASE ",
            Kind::Sequence => "SEQUENCE ",
            Kind::Table | Kind::Everything => "",
        };
        Ok(Object { kind, name: format!("{told}{name}") })
    }

    fn part(&mut self) -> Read<String> {
        match self.next()?.clone() {
            Token::Word(name) => Ok(quote_ident(&shortened(&name.to_ascii_lowercase()))),
            Token::Name(name) => Ok(quote_ident(&shortened(&name))),
            Token::Text(_) | Token::Number(_) | Token::Mark(_) => Err(Unread::Unknown),
        }
    }

    /// MySQL's, in one spelling.
    fn place(&mut self) -> Read<Object> {
        self.word("TABLE");
        if self.mark('*') {
            need(self.mark('.') && self.mark('*'))?;
            return Ok(Object { kind: Kind::Everything, name: "*.*".to_owned() });
        }
        let database = self.name()?.replace('`', "``");
        need(self.mark('.'))?;
        if self.mark('*') {
            return Ok(Object { kind: Kind::Database, name: format!("`{database}`.*") });
        }
        let table = self.name()?.replace('`', "``");
        Ok(Object { kind: Kind::Table, name: format!("`{database}`.`{table}`") })
    }
}
