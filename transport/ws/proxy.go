//go:build !js

package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/kkrpc-go/kkrpc/internal/admission"
)

// proxyFor returns the proxy that the environment names for u, or nil. As in net/http, HTTP_PROXY is for ws, HTTPS_PROXY
// for wss, NO_PROXY names exceptions, and this machine itself is one.
func proxyFor(u *url.URL) (*url.URL, error) {
	like := *u
	like.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	return http.ProxyFromEnvironment(&http.Request{URL: &like})
}

// dialHost opens a TCP connection to the host of u, through the proxy of the environment if there is one.
func dialHost(ctx context.Context, u *url.URL, opts *DialOptions) (net.Conn, error) {
	target := net.JoinHostPort(u.Hostname(), admission.Port(u))
	if opts.NetDial != nil {
		return opts.NetDial(ctx, "tcp", target)
	}
	var dialer net.Dialer
	proxy, err := proxyFor(u)
	if err != nil {
		return nil, &urlError{fmt.Errorf("proxy of the environment: %w", err)}
	}
	if proxy == nil {
		return dialer.DialContext(ctx, "tcp", target)
	}
	nc, err := dialProxy(ctx, proxy, &dialer, opts)
	if err == nil {
		if err = tunnel(ctx, nc, proxy, target); err != nil {
			_ = nc.Close()
		}
	}
	if err != nil {
		if _, refused := errors.AsType[*StatusError](err); !refused {
			err = causeOr(ctx, err)
		}
		return nil, fmt.Errorf("proxy %s: %w", proxy.Host, err)
	}
	return nc, nil
}

func dialProxy(ctx context.Context, proxy *url.URL, dialer *net.Dialer, opts *DialOptions) (net.Conn, error) {
	port := proxy.Port()
	switch {
	case proxy.Scheme != "http" && proxy.Scheme != "https":
		return nil, &urlError{fmt.Errorf("no support for %s proxies; use DialOptions.NetDial", proxy.Scheme)}
	case port == "" && proxy.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	nc, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port))
	if err != nil || proxy.Scheme == "http" {
		return nc, err
	}
	config := tlsConfig(opts.TLS, "")
	config.ServerName = proxy.Hostname() // a name in opts.TLS is the server's
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return tc, nil
}

// tunnel has the proxy connect nc to target.
func tunnel(ctx context.Context, nc net.Conn, proxy *url.URL, target string) error {
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(longAgo) })
	defer stop()
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)))
	}
	if err := req.Write(nc); err != nil {
		return err
	}
	br := bufio.NewReader(io.LimitReader(nc, handshakeBytes))
	resp, err := http.ReadResponse(br, req)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		refused := statusError(resp)
		refused.Proxy = true
		return refused
	case br.Buffered() > 0:
		return errors.New("it sends data before the server can")
	case !stop():
		return context.Cause(ctx)
	}
	return nil
}
