use super::*;

#[test]
fn a_default_profile_without_credentials_shadows_nothing() {
    for text in [
        "",
        "[default]\nregion = eu-west-1\noutput = json\n",
        "[profile dev]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = default\n",
        "[defaults]\naws_access_key_id = AKIA\n",
        "# [default]\n# aws_access_key_id = AKIA\n",
    ] {
        assert_eq!(without_credentials(text), None, "{text}");
    }
}

#[test]
fn what_leads_to_credentials_is_left_out_and_everything_else_stays() {
    let text = "[default]\n# aws_secret_access_key = old\nregion = eu-west-1\naws_access_key_id = AKIA\n\
                aws_secret_access_key = secret\ns3 =\n  max_concurrent_requests = 20\ncredential_process = \"a\"\n  b c\n\
                retry_mode = standard\n\n[profile dev]\nrole_arn = arn:aws:iam::222222222222:role/x\n\
                credential_source = EcsContainer\naws_secret_access_key: other\n\n[services x]\nsts =\n  endpoint_url = http://x\n";
    let wanted = "[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\nretry_mode = standard\n\n[profile dev]\n\
                  role_arn = arn:aws:iam::222222222222:role/x\ncredential_source = EcsContainer\n\n[services x]\nsts =\n  \
                  endpoint_url = http://x\n";
    assert_eq!(without_credentials(text).as_deref(), Some(wanted));
}

#[test]
fn every_form_of_the_heading_counts() {
    for heading in ["default", " default ", "profile default", "profile \"default\"", "profile\tdefault", "DEFAULT"] {
        for line in ["sso_session = a", "SSO_Session=a", "  role_arn : a", "login_session=a"] {
            let text = format!("\u{feff}[{heading}] ; note\n{line}\n");
            assert_eq!(without_credentials(&text), Some(format!("[{heading}] ; note\n")), "{text}");
        }
    }
}

/// botocore takes the second line for a part of the first, other SDKs for a key.
#[test]
fn an_indented_key_is_left_out() {
    let text = "[default]\nregion = x\n  credential_process = y\n  z\n";
    assert_eq!(without_credentials(text).as_deref(), Some("[default]\nregion = x\n"));
}
