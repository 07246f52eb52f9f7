use super::*;

#[test]
fn partitions_of_regions() {
    let cases = [
        ("us-east-1", Some(Partition::Aws)),
        ("ap-southeast-7", Some(Partition::Aws)),
        ("mx-central-1", Some(Partition::Aws)),
        ("il-central-12", Some(Partition::Aws)),
        ("cn-northwest-1", Some(Partition::AwsCn)),
        ("us-gov-east-1", Some(Partition::AwsUsGov)),
        ("eusc-de-east-1", Some(Partition::AwsEusc)),
        ("us-iso-west-1", Some(Partition::AwsIso)),
        ("us-isob-east-1", Some(Partition::AwsIsoB)),
        ("eu-isoe-west-1", Some(Partition::AwsIsoE)),
        ("us-isof-south-1", Some(Partition::AwsIsoF)),
        ("us-east-1\n", None),
        ("us-east-１", None),
        ("US-east-1", None),
        ("us-east", None),
        ("us-east-west-1", None),
        ("", None),
    ];
    for (region, partition) in cases {
        assert_eq!(Partition::of_region(region), partition, "{region:?}");
    }
    assert_eq!(Partition::AwsCn.dns_suffix(), "amazonaws.com.cn");
    assert_eq!(Partition::AwsEusc.dns_suffix(), "amazonaws.eu");
}
