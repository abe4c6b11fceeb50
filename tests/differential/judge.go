// Go's crypto/x509 as a judge: one line a scenario, as judges.cpp writes it, one line an answer.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

func judge(line string) string {
	words := strings.Fields(line)
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	if words[0] == "server" {
		options.DNSName = words[1]
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	} else {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	var leaf *x509.Certificate
	for i := 2; i+1 < len(words); i += 2 {
		der, err := hex.DecodeString(words[i+1])
		if err != nil {
			return err.Error()
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			// As a TLS peer's: all of them are read, or none.
			return err.Error()
		}
		switch {
		case words[i] == "root":
			options.Roots.AddCert(certificate)
		case leaf == nil:
			leaf = certificate
		default:
			options.Intermediates.AddCert(certificate)
		}
	}
	if _, err := leaf.Verify(options); err != nil {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return "ok"
}

func main() {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for scanner.Scan() {
		fmt.Fprintln(out, judge(scanner.Text()))
	}
}
