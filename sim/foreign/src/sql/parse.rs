//! Parsing of statements.
//!
//! It exists so that what a function does to the server is known exactly. A statement that a real
//! server would call wrong is answered as wrong where that is certain, above all when a quote is
//! missing around a password or a name; any other that is not understood is refused by name.

mod grant;
mod options;
mod select;

use super::Engine;
use super::keyword::is_reserved;
use super::statement::{Scalar, Statement, Unread};
use super::token::{Placed, Token, Uncut, tokens};
use super::user::{Options, Password, Tls};

/// Parses what is sent at once: one statement, or several that PostgreSQL takes in turn. MySQL takes
/// one, unless the client asked for more when it connected.
pub fn parse(engine: Engine, sql: &str) -> Result<Vec<Statement>, Unread> {
    let tokens = tokens(engine, sql).map_err(|uncut| match uncut {
        Uncut::Open => wrong(engine),
        Uncut::Sign => Unread::Unknown,
    })?;
    let mut statements = Vec::new();
    let parts: Vec<_> = tokens.split(|placed| placed.token == Token::Mark(';')).collect();
    for (index, tokens) in parts.iter().enumerate() {
        if tokens.is_empty() && parts.len() > 1 {
            continue;
        }
        let mut reader = Reader { engine, sql, tokens };
        let statement = reader.statement()?;
        need(reader.tokens.is_empty())?;
        if index == 0 && parts.len() > 1 && !engine.is_postgres() {
            return Err(wrong(engine));
        }
        statements.push(statement);
    }
    Ok(statements)
}

type Read<T> = Result<T, Unread>;

struct Reader<'a> {
    engine: Engine,
    sql: &'a str,
    tokens: &'a [Placed],
}

impl Reader<'_> {
    fn statement(&mut self) -> Read<Statement> {
        let Token::Word(first) = self.next()?.clone() else { return Err(Unread::Unknown) };
        let postgres = self.engine.is_postgres();
        match first.to_ascii_uppercase().as_str() {
            "BEGIN" => {
                let _ = self.word("WORK") || postgres && self.word("TRANSACTION");
                Ok(Statement::Begin)
            }
            "START" => need(self.word("TRANSACTION")).map(|()| Statement::Begin),
            "COMMIT" | "END" if first.eq_ignore_ascii_case("COMMIT") || postgres => {
                let _ = self.word("WORK") || postgres && self.word("TRANSACTION");
                Ok(Statement::Commit)
            }
            "ROLLBACK" | "ABORT" if first.eq_ignore_ascii_case("ROLLBACK") || postgres => {
                let _ = self.word("WORK") || postgres && self.word("TRANSACTION");
                Ok(Statement::Rollback)
            }
            "FLUSH" => need(!postgres && self.word("PRIVILEGES")).map(|()| Statement::Flush),
            "SET" => self.set(),
            "SELECT" => self.select(),
            "CREATE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop(),
            "REASSIGN" => self.reassign(),
            "GRANT" => self.grant(),
            "REVOKE" => self.revoke(),
            "SHOW" => self.show(),
            "RENAME" => self.rename(),
            _ => Err(Unread::Unknown),
        }
    }

    fn set(&mut self) -> Read<Statement> {
        if !self.engine.is_postgres() && self.word("PASSWORD") {
            return self.set_password();
        }
        let _ = self.word("SESSION") || self.engine.is_postgres() && self.word("LOCAL");
        let Token::Word(name) = self.next()?.clone() else { return Err(Unread::Unknown) };
        let known = if self.engine.is_postgres() { SETTINGS_POSTGRES } else { SETTINGS_MYSQL };
        need(known.iter().any(|known| name.eq_ignore_ascii_case(known)))?;
        self.tokens = &[];
        Ok(Statement::Nothing)
    }

    fn set_password(&mut self) -> Read<Statement> {
        let user = if self.word("FOR") { self.user_or_self()? } else { None };
        need(self.mark('='))?;
        let is_wrapped = self.word("PASSWORD");
        // MySQL 8 took the function away; MariaDB takes a bare text for a stored password.
        if is_wrapped && self.engine == Engine::Mysql {
            return Err(wrong(self.engine));
        }
        need(!is_wrapped || self.mark('('))?;
        let text = self.text()?;
        need(!is_wrapped || self.mark(')'))?;
        let is_text = is_wrapped || self.engine == Engine::Mysql;
        let password = if is_text { Password::Text(text) } else { Password::Native(text) };
        let retains = self.engine == Engine::Mysql && self.words(&["RETAIN", "CURRENT", "PASSWORD"])?;
        if self.engine == Engine::Mariadb && matches!(self.tokens, [Placed { token: Token::Word(_), .. }, ..])
        {
            return Err(wrong(self.engine));
        }
        Ok(Statement::SetPassword { user, password: kept(password), retains })
    }

    fn create(&mut self) -> Read<Statement> {
        let is_user = self.word("USER");
        need(is_user || self.engine.is_postgres() && self.word("ROLE"))?;
        let exists_ok = !self.engine.is_postgres() && self.words(&["IF", "NOT", "EXISTS"])?;
        let is_bare = matches!(self.tokens.first(), Some(Placed { token: Token::Word(_), .. }));
        let user = self.user()?;
        if self.engine.is_postgres() && matches!(user.as_str(), "public" | "none") {
            return Err(Unread::Wrong("42939", "role name is reserved"));
        }
        need(!(is_bare && self.engine.is_postgres() && user.eq_ignore_ascii_case("if")))?;
        let mut options = self.options(true)?;
        options.login.get_or_insert(is_user);
        Ok(Statement::Create { user, options, exists_ok })
    }

    fn alter(&mut self) -> Read<Statement> {
        need(self.word("USER") || self.engine.is_postgres() && self.word("ROLE"))?;
        let missing_ok = !self.engine.is_postgres() && self.words(&["IF", "EXISTS"])?;
        let user = self.user_or_self()?;
        Ok(Statement::Alter { user, options: self.options(false)?, missing_ok })
    }

    fn drop(&mut self) -> Read<Statement> {
        if self.engine.is_postgres() && self.word("OWNED") {
            need(self.word("BY"))?;
            return Ok(Statement::RevokeAll { from: self.user()? });
        }
        need(self.word("USER") || self.engine.is_postgres() && self.word("ROLE"))?;
        let missing_ok = self.words(&["IF", "EXISTS"])?;
        Ok(Statement::Drop { user: self.user()?, missing_ok })
    }

    fn reassign(&mut self) -> Read<Statement> {
        need(self.engine.is_postgres() && self.words(&["OWNED", "BY"])?)?;
        let from = self.user()?;
        need(self.word("TO"))?;
        Ok(Statement::Reassign { from, to: self.user()? })
    }

    fn show(&mut self) -> Read<Statement> {
        if self.engine.is_postgres() {
            need(self.word("SERVER_VERSION"))?;
            return Ok(Statement::Select(vec![(
                Scalar::Text(self.engine.number().to_owned()),
                SHOWN.to_owned(),
            )]));
        }
        need(self.word("GRANTS"))?;
        let user = if self.word("FOR") { self.user_or_self()? } else { None };
        Ok(Statement::ShowGrants { user })
    }

    fn rename(&mut self) -> Read<Statement> {
        need(!self.engine.is_postgres() && self.word("USER"))?;
        let from = self.user()?;
        need(self.word("TO"))?;
        Ok(Statement::Rename { from, to: self.user()? })
    }

    fn users(&mut self) -> Read<Vec<String>> {
        let mut users = vec![self.user()?];
        while self.mark(',') {
            users.push(self.user()?);
        }
        Ok(users)
    }

    /// A user, or none for whoever speaks.
    fn user_or_self(&mut self) -> Read<Option<String>> {
        if self.word("CURRENT_USER") || self.engine.is_postgres() && self.word("SESSION_USER") {
            if self.mark('(') {
                need(!self.engine.is_postgres() && self.mark(')'))?;
            }
            return Ok(None);
        }
        // MySQL's `USER()` is whoever speaks, too, where MariaDB takes it for a name.
        if self.engine == Engine::Mysql
            && let [user, open, close, ..] = self.tokens
            && user.token.is("USER")
            && (&open.token, &close.token) == (&Token::Mark('('), &Token::Mark(')'))
        {
            self.tokens = &self.tokens[3..];
            return Ok(None);
        }
        self.user().map(Some)
    }

    /// A user's name. A host may follow it in MySQL, and must be any.
    fn user(&mut self) -> Read<String> {
        let postgres = self.engine.is_postgres();
        let name = match (postgres, self.next()?.clone()) {
            (true, Token::Word(word)) => {
                let word = word.to_ascii_lowercase();
                if matches!(word.as_str(), "current_user" | "session_user" | "current_role") {
                    return Err(Unread::Unknown);
                }
                if is_reserved(&word) {
                    return Err(wrong(self.engine));
                }
                shortened(&word)
            }
            (true, Token::Name(name)) => shortened(&name),
            (false, Token::Word(name) | Token::Name(name) | Token::Text(name)) => name,
            (true, Token::Text(_)) => return Err(wrong(self.engine)),
            _ => return Err(Unread::Unknown),
        };
        need(!name.is_empty())?;
        if !postgres && self.mark('@') {
            let is_any = match self.next()?.clone() {
                Token::Text(host) | Token::Name(host) => host == "%",
                Token::Mark(mark) => mark == '%',
                Token::Word(_) | Token::Number(_) => false,
            };
            need(is_any)?;
        }
        Ok(name)
    }

    fn name(&mut self) -> Read<String> {
        match self.next()?.clone() {
            Token::Word(name) | Token::Name(name) => Ok(name),
            Token::Text(_) | Token::Number(_) | Token::Mark(_) => Err(Unread::Unknown),
        }
    }

    fn text(&mut self) -> Read<String> {
        match self.next()?.clone() {
            Token::Text(text) => Ok(text),
            Token::Word(_) | Token::Name(_) | Token::Number(_) | Token::Mark(_) => Err(Unread::Unknown),
        }
    }

    /// All of these words, or none of them.
    fn words(&mut self, words: &[&str]) -> Read<bool> {
        if !self.word(words[0]) {
            return Ok(false);
        }
        words[1..].iter().try_for_each(|word| need(self.word(word))).map(|()| true)
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(|token| token.is(word))
    }

    fn mark(&mut self, mark: char) -> bool {
        self.take(|token| *token == Token::Mark(mark))
    }

    fn take(&mut self, fits: impl Fn(&Token) -> bool) -> bool {
        let found = self.tokens.first().is_some_and(|placed| fits(&placed.token));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn next(&mut self) -> Read<&Token> {
        let (first, rest) = self.tokens.split_first().ok_or(Unread::Unknown)?;
        self.tokens = rest;
        Ok(&first.token)
    }
}

fn need(is_so: bool) -> Read<()> {
    if is_so { Ok(()) } else { Err(Unread::Unknown) }
}

/// What every server of the dialect says of a statement that it cannot parse.
fn wrong(engine: Engine) -> Unread {
    match engine {
        Engine::Postgres => Unread::Wrong("42601", "syntax error"),
        Engine::Mysql | Engine::Mariadb => Unread::Wrong("1064", "You have an error in your SQL syntax"),
    }
}

/// An empty password is none.
fn kept(password: Password) -> Option<Password> {
    match &password {
        Password::Text(text) | Password::Native(text) => (!text.is_empty()).then_some(password),
    }
}

/// PostgreSQL cuts names after 63 bytes, and tells it only in a notice.
pub fn shortened(name: &str) -> String {
    let mut length = name.len().min(NAME_MAX);
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    name[..length].to_owned()
}

const NAME_MAX: usize = 63;
const SHOWN: &str = "server_version";
/// Settings that change nothing that the world models.
const SETTINGS_POSTGRES: &[&str] = &[
    "application_name",
    "client_encoding",
    "client_min_messages",
    "datestyle",
    "extra_float_digits",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "names",
    "password_encryption",
    "search_path",
    "statement_timeout",
    "time",
    "timezone",
];
const SETTINGS_MYSQL: &[&str] = &[
    "autocommit",
    "character",
    "innodb_lock_wait_timeout",
    "interactive_timeout",
    "lock_wait_timeout",
    "max_execution_time",
    "names",
    "net_read_timeout",
    "net_write_timeout",
    "time_zone",
    "transaction",
    "wait_timeout",
];
