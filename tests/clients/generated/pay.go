// Makes one paid call with the Go client that openapi-generator made of the document.
//
// Reads {base, sandbox, api_key, listing, body} and prints {steps, request_id, charged_micros, seller_response, error}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	crochet "github.com/crochet/crochet_api"
)

type input struct {
	Base    string `json:"base"`
	Sandbox string `json:"sandbox"`
	APIKey  string `json:"api_key"`
	Listing string `json:"listing"`
	Body    any    `json:"body"`
}

func main() {
	var given input
	must(json.NewDecoder(os.Stdin).Decode(&given))
	configuration := crochet.NewConfiguration()
	configuration.Servers = crochet.ServerConfigurations{{URL: given.Base}}
	client := crochet.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), crochet.ContextAccessToken, given.APIKey)
	call := func(listing string) crochet.ApiCallListingRequest {
		return client.GatewayAndPaymentsAPI.CallListing(ctx, listing).Body(given.Body).XCrochetOriginCurrency(crochet.ORIGIN_CURRENCY_SOL)
	}

	required, ok := refused(call(given.Listing)).(crochet.PaymentRequiredEnvelope)
	if !ok || required.Data.Payment.PaymentOffer == nil {
		log.Fatal("nothing was quoted")
	}
	offer := required.Data.Payment.PaymentOffer
	requirements := offer.Requirements.Get()
	if requirements == nil || len(requirements.Steps[0].Items[0].Data.Instructions) == 0 {
		log.Fatal("the steps have no instructions")
	}
	url := given.Sandbox + "/sandbox/requests/" + offer.RelayRequestId
	reply, err := http.Post(url, "application/json", strings.NewReader(`{"status":"success"}`))
	must(err)
	must(reply.Body.Close())

	paid, _, err := call(given.Listing).XCrochetRelayRequestId(offer.RelayRequestId).Execute()
	must(err)
	missing, ok := refused(call("no-such-listing")).(crochet.ListingNotFoundOrPaymentNotFoundError)
	if !ok {
		log.Fatal("a listing that does not exist was called")
	}
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"steps":           len(requirements.Steps),
		"request_id":      paid.Data.RequestId,
		"charged_micros":  paid.Data.ChargedAmount.AmountMicros,
		"seller_response": paid.Data.SellerResponse,
		"error":           missing.Error.Code,
	}))
}

// refused returns the error that the service described.
func refused(request crochet.ApiCallListingRequest) any {
	_, _, err := request.Execute()
	var described *crochet.GenericOpenAPIError
	if !errors.As(err, &described) {
		log.Fatal(fmt.Errorf("the call was not refused: %w", err))
	}
	return described.Model()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
