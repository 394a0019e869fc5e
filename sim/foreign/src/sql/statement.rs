//! Statements that rotation functions speak, parsed.
//!
//! It exists so that what a function does to the server is known exactly. Anything else is refused
//! by name: a statement that is half understood would be judged wrongly.

use super::Engine;
use super::token::{Token, tokens};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    Begin,
    Commit,
    Rollback,
    /// Settings of the session, `FLUSH PRIVILEGES`: no effect here.
    Nothing,
    Select(Vec<Scalar>),
    /// A read of the catalogue of users.
    Users {
        columns: Vec<String>,
        named: Option<String>,
    },
    Create {
        user: String,
        options: Options,
        exists_ok: bool,
    },
    Alter {
        user: Option<String>,
        options: Options,
    },
    Drop {
        user: String,
        missing_ok: bool,
    },
    GrantRole {
        roles: Vec<String>,
        to: String,
    },
    RevokeRole {
        roles: Vec<String>,
        from: String,
    },
    Grant {
        privilege: String,
        to: String,
        tls: Option<String>,
        /// MariaDB: makes the user, if there is none, with this password.
        password: Option<String>,
    },
    Revoke {
        privilege: String,
        from: String,
    },
    ShowGrants {
        user: Option<String>,
    },
}

/// A value that needs no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    Now,
    Version,
    User,
    Number(i64),
    Text(String),
}

/// What `CREATE` and `ALTER` say of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `Some(None)`: the password is taken away.
    pub password: Option<Option<String>>,
    pub login: Option<bool>,
    pub superuser: Option<bool>,
    pub createrole: Option<bool>,
    pub valid_until: Option<String>,
    pub roles: Vec<String>,
    /// `NONE`, `SSL`, `X509`, or what a certificate must say: `CIPHER '…' AND ISSUER '…'`.
    pub tls: Option<String>,
}

/// Parses one statement; none if the world does not speak it.
pub fn parse(engine: Engine, sql: &str) -> Option<Statement> {
    let tokens = tokens(engine, sql)?;
    let mut reader = Reader { engine, tokens: &tokens };
    let statement = reader.statement()?;
    reader.tokens.is_empty().then_some(statement)
}

struct Reader<'a> {
    engine: Engine,
    tokens: &'a [Token],
}

impl Reader<'_> {
    fn statement(&mut self) -> Option<Statement> {
        let Token::Word(first) = self.next()? else { return None };
        match first.to_ascii_uppercase().as_str() {
            "BEGIN" | "START" => {
                self.word("TRANSACTION");
                Some(Statement::Begin)
            }
            "COMMIT" => Some(Statement::Commit),
            "ROLLBACK" => Some(Statement::Rollback),
            "FLUSH" => self.word("PRIVILEGES").then_some(Statement::Nothing),
            "SET" => self.set(),
            "SELECT" => self.select(),
            "CREATE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop(),
            "GRANT" => self.grant(),
            "REVOKE" => self.revoke(),
            "SHOW" => self.show(),
            _ => None,
        }
    }

    fn set(&mut self) -> Option<Statement> {
        if self.engine.is_postgres() || !self.word("PASSWORD") {
            self.tokens = &[];
            return Some(Statement::Nothing);
        }
        let user = if self.word("FOR") { Some(self.user()?) } else { None };
        self.mark('=').then_some(())?;
        let wrapped = self.word("PASSWORD") && self.mark('(');
        let password = self.text()?;
        if wrapped {
            self.mark(')').then_some(())?;
        }
        let options = Options { password: Some(Some(password)), ..Options::default() };
        Some(Statement::Alter { user, options })
    }

    fn select(&mut self) -> Option<Statement> {
        if self.tokens.iter().any(|token| token.is("FROM")) {
            return self.users();
        }
        let mut scalars = Vec::new();
        loop {
            scalars.push(self.scalar()?);
            if self.word("AS") {
                self.next()?;
            }
            if !self.mark(',') {
                return Some(Statement::Select(scalars));
            }
        }
    }

    fn scalar(&mut self) -> Option<Scalar> {
        let token = self.next()?.clone();
        Some(match token {
            Token::Number(number) => Scalar::Number(number),
            Token::Text(text) => Scalar::Text(text),
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "now" | "version" => {
                    (self.mark('(') && self.mark(')')).then_some(())?;
                    if word.eq_ignore_ascii_case("now") { Scalar::Now } else { Scalar::Version }
                }
                "current_timestamp" => Scalar::Now,
                "current_user" | "session_user" | "user" => {
                    if self.mark('(') {
                        self.mark(')').then_some(())?;
                    }
                    Scalar::User
                }
                "quote_ident" if self.engine.is_postgres() => Scalar::Text(quote_ident(&self.argument()?)),
                "quote_literal" if self.engine.is_postgres() => {
                    Scalar::Text(quote_literal(&self.argument()?))
                }
                _ => return None,
            },
            Token::Name(_) | Token::Mark(_) => return None,
        })
    }

    /// `('text')` or `('text'::text)`.
    fn argument(&mut self) -> Option<String> {
        self.mark('(').then_some(())?;
        let text = self.text()?;
        if self.mark(':') {
            (self.mark(':') && self.word("text")).then_some(())?;
        }
        self.mark(')').then_some(text)
    }

    fn users(&mut self) -> Option<Statement> {
        let mut columns = Vec::new();
        loop {
            columns.push(match self.next()?.clone() {
                Token::Word(word) if word.eq_ignore_ascii_case("count") => {
                    (self.mark('(') && (self.mark('*') || self.next().is_some()) && self.mark(')'))
                        .then_some(())?;
                    "count".to_owned()
                }
                Token::Word(word) | Token::Name(word) => word.to_ascii_lowercase(),
                Token::Number(number) => number.to_string(),
                Token::Mark('*') => "*".to_owned(),
                Token::Mark(_) | Token::Text(_) => return None,
            });
            if !self.mark(',') {
                break;
            }
        }
        self.word("FROM").then_some(())?;
        let (space, table) = self.qualified()?;
        let known = matches!(
            (self.engine.is_postgres(), space.as_deref(), table.as_str()),
            (true, None | Some("pg_catalog"), "pg_roles" | "pg_user" | "pg_authid" | "pg_shadow")
                | (false, Some("mysql"), "user")
        );
        known.then_some(())?;
        let mut named = None;
        if self.word("WHERE") {
            loop {
                let column = self.name()?.to_ascii_lowercase();
                self.mark('=').then_some(())?;
                let value = self.text()?;
                match column.as_str() {
                    "rolname" | "usename" | "user" => named = Some(value),
                    "host" => {}
                    _ => return None,
                }
                if !self.word("AND") {
                    break;
                }
            }
        }
        if self.word("LIMIT") {
            self.next()?;
        }
        Some(Statement::Users { columns, named })
    }

    fn create(&mut self) -> Option<Statement> {
        let is_user = self.word("USER");
        (is_user || self.engine.is_postgres() && self.word("ROLE")).then_some(())?;
        let exists_ok = self.word("IF") && self.word("NOT") && self.word("EXISTS");
        (!exists_ok || !self.engine.is_postgres()).then_some(())?;
        let user = self.user()?;
        let mut options = self.options()?;
        options.login.get_or_insert(is_user);
        Some(Statement::Create { user, options, exists_ok })
    }

    fn alter(&mut self) -> Option<Statement> {
        (self.word("USER") || self.engine.is_postgres() && self.word("ROLE")).then_some(())?;
        let user =
            if self.word("CURRENT_USER") || self.word("SESSION_USER") { None } else { Some(self.user()?) };
        if self.mark('(') {
            self.mark(')').then_some(())?;
            (user.as_deref()?.eq_ignore_ascii_case("user")).then_some(())?;
            return Some(Statement::Alter { user: None, options: self.options()? });
        }
        Some(Statement::Alter { user, options: self.options()? })
    }

    fn drop(&mut self) -> Option<Statement> {
        (self.word("USER") || self.engine.is_postgres() && self.word("ROLE")).then_some(())?;
        let missing_ok = self.word("IF") && self.word("EXISTS");
        Some(Statement::Drop { user: self.user()?, missing_ok })
    }

    fn options(&mut self) -> Option<Options> {
        let mut options = Options::default();
        self.word("WITH");
        while let Some(token) = self.tokens.first().cloned() {
            let Token::Word(word) = token else { return None };
            self.tokens = &self.tokens[1..];
            match (self.engine.is_postgres(), word.to_ascii_uppercase().as_str()) {
                (true, "ENCRYPTED" | "INHERIT" | "NOCREATEDB" | "NOREPLICATION" | "NOBYPASSRLS") => {}
                (true, "PASSWORD") => {
                    options.password = Some(if self.word("NULL") { None } else { Some(self.text()?) });
                }
                (true, "LOGIN") => options.login = Some(true),
                (true, "NOLOGIN") => options.login = Some(false),
                (true, "SUPERUSER") => options.superuser = Some(true),
                (true, "NOSUPERUSER") => options.superuser = Some(false),
                (true, "CREATEROLE") => options.createrole = Some(true),
                (true, "NOCREATEROLE") => options.createrole = Some(false),
                (true, "VALID") => {
                    self.word("UNTIL").then_some(())?;
                    options.valid_until = Some(self.text()?);
                }
                (true, "IN") => {
                    (self.word("ROLE") || self.word("GROUP")).then_some(())?;
                    options.roles = self.names()?;
                }
                (true, "CONNECTION") => {
                    self.word("LIMIT").then_some(())?;
                    self.mark('-');
                    self.next()?;
                }
                (false, "IDENTIFIED") => {
                    if self.word("WITH") {
                        self.name()?;
                    }
                    self.word("BY").then_some(())?;
                    self.word("PASSWORD");
                    options.password = Some(Some(self.text()?));
                }
                (false, "REQUIRE") => options.tls = Some(self.tls()?),
                _ => return None,
            }
        }
        Some(options)
    }

    /// What follows `REQUIRE`.
    fn tls(&mut self) -> Option<String> {
        let Token::Word(need) = self.next()?.clone() else { return None };
        let need = need.to_ascii_uppercase();
        match need.as_str() {
            "NONE" | "SSL" | "X509" => Some(need),
            "CIPHER" | "ISSUER" | "SUBJECT" => {
                let mut parts = vec![format!("{need} '{}'", self.text()?)];
                while self.word("AND") {
                    let Token::Word(need) = self.next()?.clone() else { return None };
                    let need = need.to_ascii_uppercase();
                    matches!(need.as_str(), "CIPHER" | "ISSUER" | "SUBJECT").then_some(())?;
                    parts.push(format!("{need} '{}'", self.text()?));
                }
                Some(parts.join(" AND "))
            }
            _ => None,
        }
    }

    fn grant(&mut self) -> Option<Statement> {
        if self.engine.is_postgres() && !self.tokens.iter().any(|token| token.is("ON")) {
            let roles = self.names()?;
            self.word("TO").then_some(())?;
            return Some(Statement::GrantRole { roles, to: self.user()? });
        }
        let privilege = self.until("TO")?;
        let to = self.user()?;
        let identified = self.engine == Engine::Mariadb && self.word("IDENTIFIED");
        let password = if identified && self.word("BY") { Some(self.text()?) } else { None };
        (identified == password.is_some()).then_some(())?;
        let tls = if self.word("REQUIRE") { Some(self.tls()?) } else { None };
        if self.word("WITH") {
            (self.word("GRANT") && self.word("OPTION")).then_some(())?;
        }
        Some(Statement::Grant { privilege, to, tls, password })
    }

    fn revoke(&mut self) -> Option<Statement> {
        if self.engine.is_postgres() && !self.tokens.iter().any(|token| token.is("ON")) {
            let roles = self.names()?;
            self.word("FROM").then_some(())?;
            return Some(Statement::RevokeRole { roles, from: self.user()? });
        }
        let privilege = self.until("FROM")?;
        Some(Statement::Revoke { privilege, from: self.user()? })
    }

    fn show(&mut self) -> Option<Statement> {
        (!self.engine.is_postgres() && self.word("GRANTS")).then_some(())?;
        let user = if self.word("FOR") { Some(self.user()?) } else { None };
        Some(Statement::ShowGrants { user })
    }

    /// What stands before a word, in one spelling.
    fn until(&mut self, word: &str) -> Option<String> {
        let end = self.tokens.iter().position(|token| token.is(word))?;
        let (taken, rest) = self.tokens.split_at(end);
        self.tokens = &rest[1..];
        let mut text = String::new();
        for token in taken {
            let is_mark = matches!(token, Token::Mark(_));
            if !text.is_empty() && !is_mark && !text.ends_with('.') {
                text.push(' ');
            }
            match token {
                Token::Word(word) => text.push_str(&word.to_ascii_uppercase()),
                Token::Name(name) => text.push_str(&format!("`{name}`")),
                Token::Mark('*') if !text.ends_with('.') => text.push_str(" *"),
                Token::Mark(mark) => text.push(*mark),
                Token::Text(_) | Token::Number(_) => return None,
            }
        }
        (!text.is_empty()).then_some(text)
    }

    fn names(&mut self) -> Option<Vec<String>> {
        let mut names = vec![self.user()?];
        while self.mark(',') {
            names.push(self.user()?);
        }
        Some(names)
    }

    /// A user, with the host that MySQL adds, which is not told apart.
    fn user(&mut self) -> Option<String> {
        let name = match (self.engine.is_postgres(), self.next()?.clone()) {
            (true, Token::Word(word)) => word.to_lowercase(),
            (true, Token::Name(name)) => name,
            (false, Token::Word(name) | Token::Name(name) | Token::Text(name)) => name,
            _ => return None,
        };
        if !self.engine.is_postgres() && self.mark('@') {
            match self.next()?.clone() {
                Token::Text(_) | Token::Name(_) | Token::Word(_) | Token::Mark('%') => {}
                Token::Number(_) | Token::Mark(_) => return None,
            }
        }
        Some(name)
    }

    fn qualified(&mut self) -> Option<(Option<String>, String)> {
        let first = self.name()?.to_ascii_lowercase();
        if self.mark('.') {
            return Some((Some(first), self.name()?.to_ascii_lowercase()));
        }
        Some((None, first))
    }

    fn name(&mut self) -> Option<String> {
        match self.next()?.clone() {
            Token::Word(name) | Token::Name(name) => Some(name),
            Token::Text(_) | Token::Number(_) | Token::Mark(_) => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.next()?.clone() {
            Token::Text(text) => Some(text),
            Token::Word(_) | Token::Name(_) | Token::Number(_) | Token::Mark(_) => None,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(|token| token.is(word))
    }

    fn mark(&mut self, mark: char) -> bool {
        self.take(|token| *token == Token::Mark(mark))
    }

    fn take(&mut self, fits: impl Fn(&Token) -> bool) -> bool {
        let found = self.tokens.first().is_some_and(fits);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }
}

/// As PostgreSQL's function: quoted if it must be.
pub fn quote_ident(name: &str) -> String {
    let plain = name.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_')
        && name.chars().next().is_some_and(|each| !each.is_ascii_digit())
        && !RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn quote_literal(text: &str) -> String {
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if text.contains('\\') { format!("E{}", quoted.replace('\\', "\\\\")) } else { quoted }
}

/// The reserved words that somebody might call a user.
const RESERVED: &[&str] = &["user", "table", "select", "grant", "all", "primary", "order", "end", "default"];
