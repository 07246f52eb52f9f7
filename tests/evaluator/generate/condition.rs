//! Generates conditions.

use serde_json::{Map, Value};

use super::{For, Generator};
use crate::scene::{Asked, Values};

/// The type of a key's values.
#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Arn,
    Number,
    Date,
    Bool,
    Ip,
}

const KEYS: [(&str, Type); 14] = [
    ("aws:username", Type::Text),
    ("aws:PrincipalAccount", Type::Text),
    ("aws:PrincipalTag/name", Type::Text),
    ("aws:PrincipalTag/team", Type::Text),
    ("aws:PrincipalTag/none", Type::Text),
    ("sts:ExternalId", Type::Text),
    ("sts:RoleSessionName", Type::Text),
    ("aws:TagKeys", Type::Text),
    ("aws:PrincipalArn", Type::Arn),
    ("aws:MultiFactorAuthAge", Type::Number),
    ("aws:CurrentTime", Type::Date),
    ("aws:MultiFactorAuthPresent", Type::Bool),
    ("aws:SecureTransport", Type::Bool),
    ("aws:SourceIp", Type::Ip),
];

impl Generator {
    pub(super) fn condition(&mut self, request: &Asked, has_variables: bool) -> Value {
        let mut condition = Map::new();
        for _ in 0..=self.random.below(2) {
            // awsim: compares key names case-sensitively, so they are written as in the request.
            let (key, kind) = self.random.pick(&KEYS);
            let found = request.context.get(key).map(Values::all).unwrap_or_default();
            let (operator, values) = if self.random.percent(10) {
                // awsim: of several values of Null only `true` counts.
                ("Null".to_owned(), vec![self.random.pick(&["true", "false"]).to_owned()])
            } else {
                self.test(key, kind, &found, has_variables)
            };
            let values = self.random.list(values);
            let keys = condition.entry(operator).or_insert_with(|| Map::new().into());
            keys.as_object_mut().expect("keys").insert(key.to_owned(), values);
        }
        condition.into()
    }

    fn test(&mut self, key: &str, kind: Type, found: &[String], has_variables: bool) -> (String, Vec<String>) {
        let operators: &[&str] = match kind {
            Type::Text => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
            Type::Arn => &["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike"],
            Type::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Type::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Type::Bool => &["Bool"],
            Type::Ip => &["IpAddress", "NotIpAddress"],
        };
        let name = self.random.pick(operators);
        // awsim: NumericNotEquals and DateNotEquals match if any of several values differs.
        let is_single = matches!(name, "NumericNotEquals" | "DateNotEquals");
        let count = if is_single { 1 } else { 1 + self.random.below(3) };
        let values = (0..count).map(|_| self.value(name, kind, found, has_variables)).collect();
        let mut suffix = if self.random.percent(25) { "IfExists" } else { "" };
        // awsim: uses only the first of several values without a set operator.
        let may_be_set = self.random.percent(15);
        let prefix = match key == "aws:TagKeys" || may_be_set {
            true => self.random.pick(&["ForAllValues:", "ForAnyValue:"]),
            false => "",
        };
        // awsim: ForAnyValue with IfExists matches an absent key.
        if prefix == "ForAnyValue:" && found.is_empty() {
            suffix = "";
        }
        (format!("{prefix}{name}{suffix}"), values)
    }

    fn value(&mut self, operator: &str, kind: Type, found: &[String], has_variables: bool) -> String {
        let is_close = !found.is_empty() && self.random.percent(60);
        let own = if is_close { self.random.pick(found) } else { String::new() };
        match kind {
            Type::Text if has_variables && self.random.percent(15) => self.variable(operator),
            Type::Text if is_close && operator.ends_with("Like") => self.pattern(&own),
            Type::Text if is_close && operator.contains("IgnoreCase") => own.to_uppercase(),
            Type::Text if is_close => own,
            Type::Text => self.random.pick(&["app", "red", "a", "x-1", "alice", "*", "?", "r*", ""]).to_owned(),
            Type::Arn => self.arn(operator, &own, has_variables),
            Type::Number => self.random.pick(&["0", "5", "5.0", "10", "3600", "3600.5", "-1"]).to_owned(),
            // awsim: does not parse days, months, years, or times without seconds. iam-simulate: reads seconds since
            // 1970 as milliseconds.
            Type::Date if self.other == For::Awsim && self.random.percent(20) => "1780315200".to_owned(),
            Type::Date => {
                let dates = ["2020-01-01T00:00:00Z", "2026-06-01T14:00:00+02:00", "2019-12-31T23:59:59Z"];
                self.random.pick(&dates).to_owned()
            }
            Type::Bool => self.random.pick(&["true", "false", "True", "FALSE"]).to_owned(),
            Type::Ip => {
                let ranges = [
                    "0.0.0.0/0",
                    "::/0",
                    "203.0.113.5",
                    "203.0.113.0/24",
                    "203.0.113.0/25",
                    "203.0.113.77/24",
                    "203.0.113.5/32",
                    "2001:DB8::/32",
                    "2001:db8:1::/48",
                ];
                // iam-simulate: no address is in a range with prefix 0, and an address without prefix cannot be
                // compared with an IPv6 address.
                let from = if self.other == For::Simulate { 3 } else { 0 };
                self.random.pick(&ranges[from..]).to_owned()
            }
        }
    }

    /// Generates a pattern close to a text.
    fn pattern(&mut self, text: &str) -> String {
        let half = text.len() / 2;
        let patterns = [
            text.to_owned(),
            "*".to_owned(),
            format!("{}*", &text[..half]),
            format!("*{}", &text[half..]),
            format!("?{}", &text[1..]),
            format!("{text}?"),
            format!("*{}*", &text[..1]),
        ];
        self.random.pick(&patterns)
    }

    fn variable(&mut self, operator: &str) -> String {
        // awsim: a star from a variable acts as a wildcard, defaults are missing, and aws:userid differs. So no value
        // of the request has a star.
        let mut variables = vec!["${aws:PrincipalTag/team}", "${aws:PrincipalTag/name}", "${sts:RoleSessionName}"];
        if !operator.ends_with("Like") {
            variables.push("${*}");
        }
        if self.other == For::Simulate {
            // iam-simulate: an unset variable does not match a negated operator.
            if operator.contains("Not") {
                variables = vec!["${aws:PrincipalAccount}"];
            }
        } else {
            variables.extend(["${aws:PrincipalTag/none}", "${$}{x}", "x-${aws:PrincipalAccount}"]);
        }
        self.random.pick(&variables).to_owned()
    }

    /// awsim and iam-simulate differ for invalid ARNs, so there are always six parts.
    fn arn(&mut self, operator: &str, own: &str, has_variables: bool) -> String {
        let name = own.rsplit(['/', ':']).next().unwrap_or_default();
        let mut arns = vec!["arn:aws:iam::333333333333:user/dave".to_owned(), "arn:aws:iam::1:root".to_owned()];
        if !own.is_empty() {
            arns.extend([own.to_owned(), own.to_owned(), own.to_uppercase().replacen("ARN", "arn", 1)]);
        }
        // awsim: ArnEquals does not support wildcards.
        let has_wildcards = self.other == For::Simulate || !operator.contains("Equals");
        if has_wildcards {
            arns.extend([
                "arn:aws:iam::*:user/*".to_owned(),
                "arn:aws:iam::*:role/*".to_owned(),
                format!("arn:aws:iam::1111*:*{name}"),
                "arn:*:*:*:*:*".to_owned(),
                "arn:aws:iam::?11111111111:user/a????".to_owned(),
            ]);
        }
        if has_variables && has_wildcards && self.other == For::Awsim {
            arns.push("arn:aws:iam::${aws:PrincipalAccount}:*".to_owned());
        }
        self.random.pick(&arns)
    }
}
