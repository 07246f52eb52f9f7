// A stack with a bucket, in the account and Region of the credentials.
const { App, Stack } = require("aws-cdk-lib/core");
const { CfnBucket } = require("aws-cdk-lib/aws-s3");

const env = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };
const stack = new Stack(new App(), "made-by-cdk", { env });
new CfnBucket(stack, "Bucket", { bucketName: `made-by-cdk-${env.account}` });
