//! What the cases in `tests/cases/admission` cannot show.

use super::*;
use crate::iam::arn::RoleArn;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::{TrustTerms, trust};

fn role() -> RoleArn {
    "arn:aws:iam::222222222222:role/app".parse().unwrap()
}

fn terms() -> TrustTerms {
    TrustTerms {
        partition: "aws".parse().unwrap(),
        source: "111111111111".parse().unwrap(),
        external_id: Some("abcdef".parse().unwrap()),
        require_mfa: true,
        only_user: None,
        session_tags: true,
    }
}

fn declared(terms: &TrustTerms) -> Declared {
    Declared {
        source: terms.source.clone(),
        only_user: terms.only_user.clone(),
        statements: PolicyDocument { version: None, id: None, statements: Vec::new() },
        accepted: Vec::new(),
    }
}

#[test]
fn the_trust_policies_of_links_admit_whom_they_declare() {
    for only_user in [None, Some("arn:aws:iam::111111111111:user/team/alice".parse().unwrap())] {
        let terms = TrustTerms { only_user: only_user.clone(), ..terms() };
        let admitted = of_trust(&trust(&terms), &role());
        let [one] = admitted.as_slice() else { panic!("{admitted:?}") };
        let expected =
            only_user.map_or("account 111111111111".to_owned(), |user: crate::iam::arn::UserArn| user.to_string());
        assert_eq!(one.who.to_string(), expected);
        assert_eq!((one.needs, &one.undecided), (Needs { external_id: true, mfa: true }, &None));
        assert_eq!(declared(&terms).standing(one, &role()), Standing::Declared);
    }
}
