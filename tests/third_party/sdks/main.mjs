// Prints the access key before and after a refresh, and the identity with each.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const client = new STSClient({});
const key = async () => (await client.config.credentials()).accessKeyId;
const arn = async () => (await client.send(new GetCallerIdentityCommand({}))).Arn;

const first = await key();
const arns = [await arn()];
let second = first;
for (let i = 0; i < 300 && second === first; i++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  second = await key();
}
arns.push(await arn());
console.log(JSON.stringify({ first, second, arns }));
