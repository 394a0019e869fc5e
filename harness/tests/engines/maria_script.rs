//! Sequences for MariaDB.
//!
//! Accounts are those of any host, and single rights are not taken out of all rights on everything,
//! whose list grows with each release.

use crate::Step;
use crate::draw::Draw;

/// Everybody whom scripts name; in single quotes as they are.
pub const NAMES: &[&str] = &["admin", "app", "app_clone", "b", "MiXed", "user", "a b`c"];
const TEXTS: &[&str] = &["first", "first", "second", "second", "it\\'s", "a\\\\b", ""];
const PLACES: &[&str] = &["*.*", "app.*", "`app`.*", "app.orders", "`app`.`lines`", "other.*"];
const STORED: &str = "*7B9EBEED26AA52ED10C0F549FA863F13C39E0209";

/// What must have come up, or the sequences show less than they seem to.
pub const CODES: &[&str] = &[
    "rows", "done", "1044", "1045", "1054", "1064", "1133", "1141", "1142", "1144", "1147", "1221", "1227",
    "1269", "1372", "1396",
];

/// One sequence.
pub fn drawn(seed: u64) -> Vec<Step> {
    let draw = &mut Draw::new(seed);
    let login = |session: usize, user: &str, password: &str| Step::Login {
        session,
        user: user.to_owned(),
        password: password.to_owned(),
    };
    let mut steps = vec![login(0, "admin", "first"), login(1, "app", "first")];
    let count = 15 + draw.below(30);
    for _ in 0..count {
        let session = draw.pick(&[0, 0, 0, 0, 1, 3]);
        if session == 3 || draw.one_in(12) {
            let user = if draw.one_in(2) { draw.pick(&NAMES[..4]) } else { draw.pick(NAMES) };
            steps.push(login(
                session,
                user,
                draw.pick(&["first", "first", "second", "it's", "a\\b", "", "p"]),
            ));
        }
        let sql = match draw.below(20) {
            0 => draw.pick(&["BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "ROLLBACK"]).to_owned(),
            1..=3 => select(draw),
            4 => draw.pick(WRONG).to_owned(),
            5 => draw.pick(ODD).to_owned(),
            _ => write(draw),
        };
        steps.push(Step::Execute { session, sql });
    }
    for name in NAMES {
        steps.push(login(4, name, draw.pick(&["first", "second", "it's", ""])));
    }
    steps
}

fn write(draw: &mut Draw) -> String {
    match draw.below(16) {
        0..=2 => {
            let sure = draw.pick(&["", "", "IF NOT EXISTS "]);
            let (identified, require) = (identified(draw), require(draw));
            format!("CREATE USER {sure}{}{identified}{require}", user(draw))
        }
        3 | 4 => {
            let sure = draw.pick(&["", "", "IF EXISTS "]);
            let whom = if draw.one_in(6) { "CURRENT_USER".to_owned() } else { user(draw) };
            let (identified, require) = (identified(draw), require(draw));
            format!("ALTER USER {sure}{whom}{identified}{require}")
        }
        5 => format!("DROP USER {}{}", draw.pick(&["", "", "IF EXISTS "]), user(draw)),
        6 | 7 => {
            let whom = match draw.below(5) {
                0 => String::new(),
                1 => " FOR CURRENT_USER()".to_owned(),
                _ => format!(" FOR {}", user(draw)),
            };
            let password = match draw.below(6) {
                0 => "'plain'".to_owned(),
                1 => format!("'{STORED}'"),
                2 => "''".to_owned(),
                _ => format!("PASSWORD('{}')", draw.pick(TEXTS)),
            };
            format!("SET PASSWORD{whom} = {password}")
        }
        8 | 9 => format!("SHOW GRANTS FOR {}", user(draw)),
        10..=12 => {
            let place = draw.pick(PLACES);
            let privileges = privileges(draw, place);
            let identified = if draw.one_in(8) { identified(draw) } else { String::new() };
            let require = if draw.one_in(3) { require(draw) } else { String::new() };
            let option = draw.pick(&["", "", "", " WITH GRANT OPTION"]);
            format!("GRANT {privileges} ON {place} TO {}{identified}{require}{option}", user(draw))
        }
        13 => format!(
            "GRANT USAGE ON *.* TO {} {}",
            user(draw),
            draw.pick(&["REQUIRE SSL", "REQUIRE NONE", ""])
        ),
        14 => {
            let place = draw.pick(&PLACES[1..]);
            format!("REVOKE {} ON {place} FROM {}", privileges(draw, place), user(draw))
        }
        _ => format!("REVOKE ALL PRIVILEGES, GRANT OPTION FROM {}", user(draw)),
    }
}

fn privileges(draw: &mut Draw, place: &str) -> String {
    if draw.one_in(6) {
        return draw.pick(&["ALL", "ALL PRIVILEGES"]).to_owned();
    }
    let names: &[&str] = match place {
        "*.*" => &["SELECT", "CREATE USER", "RELOAD", "UPDATE", "PROCESS", "REPLICATION CLIENT"],
        place if place.ends_with('*') => {
            &["SELECT", "INSERT", "UPDATE", "EXECUTE", "LOCK TABLES", "CREATE VIEW"]
        }
        _ => &["SELECT", "INSERT", "DELETE", "CREATE VIEW", "TRIGGER", "ALTER"],
    };
    let mut told = draw.some(names);
    if draw.one_in(16) {
        told.push(draw.pick(&["SUPER", "LOCK TABLES", "FROB", "USAGE"]));
    }
    told.join(", ")
}

fn identified(draw: &mut Draw) -> String {
    let text = draw.pick(TEXTS);
    match draw.below(10) {
        0 | 1 => String::new(),
        2 => format!(" IDENTIFIED BY PASSWORD '{STORED}'"),
        3 => format!(" IDENTIFIED VIA mysql_native_password USING '{STORED}'"),
        4 if draw.one_in(2) => " IDENTIFIED BY PASSWORD 'none'".to_owned(),
        _ => format!(" IDENTIFIED BY '{text}'"),
    }
}

fn require(draw: &mut Draw) -> String {
    let what = match draw.below(12) {
        0 => "SSL",
        1 => "X509",
        2 => "NONE",
        3 => "CIPHER 'AES' AND ISSUER '/CN=ca' AND SUBJECT '/CN=x'",
        4 => "SUBJECT '/CN=x'",
        _ => return String::new(),
    };
    format!(" REQUIRE {what}")
}

fn select(draw: &mut Draw) -> String {
    let name = draw.pick(NAMES);
    match draw.below(6) {
        0 => format!("SELECT User FROM mysql.user WHERE User = '{name}'"),
        1 => format!(
            "SELECT ssl_type, ssl_cipher, x509_issuer, x509_subject FROM mysql.user WHERE User = '{name}'"
        ),
        2 => format!("SELECT count(*) FROM mysql.user WHERE user='{name}' AND host = '%'"),
        3 => format!("select 1 from mysql.user where User = '{name}' and Host = 'localhost'"),
        4 => format!("SELECT COUNT(1) AS found, 2 FROM mysql.user WHERE User = '{name}' LIMIT 1"),
        _ => draw
            .pick(&["SHOW GRANTS", "SHOW GRANTS FOR CURRENT_USER", "SHOW GRANTS FOR CURRENT_USER()"])
            .to_owned(),
    }
}

/// A name as it may be written.
fn user(draw: &mut Draw) -> String {
    let name = draw.pick(NAMES);
    let any = draw.pick(&["", "", "@'%'", "@`%`"]);
    match draw.below(3) {
        0 if !name.contains(' ') => format!("{name}{any}"),
        1 => format!("`{}`{any}", name.replace('`', "``")),
        _ => format!("'{name}'{any}"),
    }
}

const ODD: &[&str] = &[
    "SELECT NOW()",
    "SELECT now() AS at, 1",
    "SELECT VERSION()",
    "SELECT CURRENT_USER()",
    "SELECT 1; ",
    "SELECT USER()",
    "SELECT CONNECTION_ID(), @@version",
    "SELECT EXISTS(SELECT 1 FROM mysql.user WHERE User = 'b')",
    "SELECT true, 1+1 AS two",
    "ALTER USER b ACCOUNT LOCK",
    "ALTER USER b ACCOUNT UNLOCK",
    "RENAME USER b TO app_clone",
    "RENAME USER app_clone TO b",
    "SELECT 1 -- and 'so on",
    "SELECT 1 # and 'so on",
    "SELECT /* what */ 1 AS one",
    "SELECT 'x', \"y\", 3 AS three",
    "SELECT current_timestamp",
    "SELECT nothing FROM mysql.user",
    "FLUSH PRIVILEGES",
    "SET NAMES utf8mb4",
    "SET autocommit = 0",
    "SET SESSION wait_timeout = 100",
];
/// What functions write that forget to quote, or take one dialect for another.
const WRONG: &[&str] = &[
    "ALTER USER app IDENTIFIED BY 'x",
    "ALTER USER app IDENTIFIED BY 'a'b'",
    "ALTER USER app IDENTIFIED BY 'x' y",
    "ALTER USER app IDENTIFIED BY x",
    "ALTER USER app IDENTIFIED BY `x`",
    "CREATE USER b IDENTIFIED BY 12",
    "CREATE USER b IDENTIFIED BY 'x' IDENTIFIED BY 'y'",
    "ALTER USER app REQUIRE SSL REQUIRE NONE",
    "ALTER USER app IDENTIFIED WITH mysql_native_password BY 'x'",
    "ALTER USER app PASSWORD 'x'",
    "CREATE USER b WITH PASSWORD 'x'",
    "ALTER USER USER() IDENTIFIED BY 'x'",
    "ALTER USER app REQUIRE SSL AND X509",
    "ALTER USER app IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD",
    "ALTER USER app DISCARD OLD PASSWORD",
    "ALTER USER app IDENTIFIED BY 'x'; SELECT 1",
    "SET PASSWORD FOR app = PASSWORD('x') RETAIN CURRENT PASSWORD",
    "GRANT FROB ON app.* TO app",
    "GRANT SUPER ON app.* TO app",
    "GRANT LOCK TABLES ON app.orders TO app",
];
