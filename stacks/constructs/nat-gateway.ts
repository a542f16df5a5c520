/** The public side of the NAT layout: one subnet, a way to the internet, and the gateway through which alone it is used. */

import { Eip } from "@cdktf/provider-aws/lib/eip";
import { InternetGateway } from "@cdktf/provider-aws/lib/internet-gateway";
import { NatGateway } from "@cdktf/provider-aws/lib/nat-gateway";
import { Route } from "@cdktf/provider-aws/lib/route";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import type { Construct } from "constructs";

const ANYWHERE = "0.0.0.0/0";

export interface NatProps {
  readonly vpcId: string;
  readonly publicSubnetCidr: string;
  readonly availabilityZone: string;
  readonly privateRouteTableId: string;
  readonly named: (base: string) => { tags: Record<string, string> };
}

export function addNatGateway(scope: Construct, { vpcId, named, ...props }: NatProps): void {
  const internet = new InternetGateway(scope, "internet-gateway", { vpcId, ...named("payment-igw") });
  const subnet = new Subnet(scope, "public-subnet-1", {
    vpcId,
    cidrBlock: props.publicSubnetCidr,
    availabilityZone: props.availabilityZone,
    // The gateway has its own address, and nothing else belongs here.
    mapPublicIpOnLaunch: false,
    ...named("payment-public-subnet-1"),
  });
  const routes = new RouteTable(scope, "public-routes", { vpcId, ...named("payment-public-rt") });
  new Route(scope, "public-default-route", {
    routeTableId: routes.id,
    destinationCidrBlock: ANYWHERE,
    gatewayId: internet.id,
  });
  new RouteTableAssociation(scope, "public-routes-1", { routeTableId: routes.id, subnetId: subnet.id });
  const address = new Eip(scope, "nat-address", { domain: "vpc", ...named("payment-nat-eip"), dependsOn: [internet] });
  const nat = new NatGateway(scope, "nat-gateway", {
    allocationId: address.allocationId,
    subnetId: subnet.id,
    ...named("payment-nat"),
    dependsOn: [internet],
  });
  new Route(scope, "private-default-route", {
    routeTableId: props.privateRouteTableId,
    destinationCidrBlock: ANYWHERE,
    natGatewayId: nat.id,
  });
}
