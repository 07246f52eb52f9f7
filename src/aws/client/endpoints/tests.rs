use super::*;

#[test]
fn aws_endpoints_have_a_region() {
    for (url, region) in [
        ("https://sts.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("https://STS.eu-central-1.amazonaws.com:443/", Some("eu-central-1")),
        ("https://sts-fips.us-east-2.amazonaws.com", Some("us-east-2")),
        ("https://s3.dualstack.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("https://vpce-1-a.sts.eu-west-1.vpce.amazonaws.com", Some("eu-west-1")),
        ("https://sts.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("https://sts.eu-west-3.api.aws", Some("eu-west-3")),
        ("https://sts.amazonaws.com", Some("us-east-1")),
        ("https://iam.amazonaws.com", Some("us-east-1")),
        ("https://iam.us-gov.amazonaws.com", Some("us-gov-west-1")),
        ("https://sts.eu-central-1.example.com", None),
        ("https://notamazonaws.com", None),
        ("http://127.0.0.1:4603", None),
        ("http://localhost", None),
        ("", None),
    ] {
        assert_eq!(region_of(url).as_ref().map(Region::as_str), region, "{url}");
    }
}

#[test]
fn removes_passwords() {
    for (url, shown) in [
        ("https://me:secret@host:1/a@b", "https://host:1/a@b"),
        ("https://host/?a@b", "https://host/"),
        ("https://me:secret@host/x?token=1#2", "https://host/x"),
        ("http://127.0.0.1:4603", "http://127.0.0.1:4603"),
    ] {
        assert_eq!(without_password(url), shown);
    }
}
