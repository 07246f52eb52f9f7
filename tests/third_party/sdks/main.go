// Prints the access key before and after a refresh, and the identity with each.
package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	check(err)
	client := sts.NewFromConfig(settings)
	key := func() string {
		credentials, err := settings.Credentials.Retrieve(ctx)
		check(err)
		return credentials.AccessKeyID
	}
	arn := func() string {
		identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		check(err)
		return *identity.Arn
	}
	first := key()
	arns := []string{arn()}
	second := first
	for i := 0; i < 300 && second == first; i++ {
		time.Sleep(100 * time.Millisecond)
		second = key()
	}
	arns = append(arns, arn())
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"first": first, "second": second, "arns": arns}))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
