// Prints the access key before and after a refresh, and the identity with each.
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.sts.StsClient;

public class Main {
    public static void main(String[] arguments) throws InterruptedException {
        StsClient client = StsClient.create();
        String first = key(client);
        String before = client.getCallerIdentity().arn();
        String second = first;
        for (int i = 0; i < 300 && second.equals(first); i++) {
            Thread.sleep(100);
            second = key(client);
        }
        String after = client.getCallerIdentity().arn();
        String format = "{\"first\": \"%s\", \"second\": \"%s\", \"arns\": [\"%s\", \"%s\"]}%n";
        System.out.printf(format, first, second, before, after);
    }

    static String key(StsClient client) {
        return client.serviceClientConfiguration().credentialsProvider().resolveIdentity().join().accessKeyId();
    }
}
