"""The smallest programs with modules, but no backward, in which generated ones once contradicted torch, by what was wrong.

Here: the programs, cut down to what shows it. Not here: the comparison (test_programs).
"""

from __future__ import annotations

from typing import Final

MODULES: Final[dict[str, str]] = {
    "module frozen on one path": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

        net = Net()
        if random.random() < 0.5:
            net.requires_grad_(False)
        """,
    "parameter without the flag": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

        net = Net()
        for p in net.parameters():
            s = p.sum()
        net.requires_grad_()
        """,
    "module with a frozen part": """
        net = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 3))
        for p in net.parameters():
            s = p.sum()
        """,
    "view without history of what is frozen": """
        net = nn.Linear(3, 3)
        with torch.no_grad():
            v = net.weight[0]
        for p in net.parameters():
            p.requires_grad = False
        """,
    "parameter that a write in place made a result": """
        v = torch.ones(3, requires_grad=True)
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

            def forward(self, x):
                return self.scale * x

        net = Net()
        net.scale.add_(v)
        net.requires_grad_()
        s = net(v)
        """,
    "model that gives a parameter as it is": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(3, 3)

            def forward(self, v):
                return self.inner.bias

        net = Net()
        net.eval()
        s = net(torch.ones(3)).sum()
        """,
    "model without parameters that train": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3), requires_grad=False)

            def forward(self, v):
                return self.scale * v

        net = Net()
        net.eval()
        s = net(torch.ones(3, requires_grad=True)).sum()
        """,
    "layer in a forward that nobody trains": """
        class Net(nn.Module):
            def forward(self, v):
                return nn.Linear(3, 3)(v)

        s = Net()(torch.ones(3)).sum()
        """,
    "gradient cleared in a forward that nobody trains": """
        class Net(nn.Module):
            def forward(self, v):
                v.grad = None
                return v * 2

        s = Net()(torch.ones(3))
        """,
    "copies of what the outer iteration made": """
        with torch.no_grad():
            net = nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Linear(3, 3))
        for _ in range(2):
            v = net(torch.arange(3.0)).relu()
            if random.random() < 0.5:
                for _ in range(2):
                    pass
                    v = v.clone()
            else:
                pass
        """,
    "chain that holds itself": """
        class Net(nn.Module):
            def forward(self, v):
                w = v.exp()
                return w

        net = Net()
        v = nn.Parameter(torch.randn(3))
        for _ in range(2):
            net = nn.Sequential(net, nn.Linear(3, 3))
            v = net(v)
        """,
    "total that the iteration replaces": """
        net = nn.Linear(3, 3)
        s = torch.ones((), requires_grad=True)
        for _ in range(2):
            s = torch.maximum(s, torch.zeros(()) * s)
            s = net(torch.rand(3, 3)).sum()
        """,
    "partly frozen chain on one path": """
        net = nn.Linear(3, 3)
        if random.random() < 0.5:
            net = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 3))
        for p in net.parameters():
            pass
        """,
    "total that grows, and is scaled in place": """
        net = nn.Linear(3, 3)
        s = torch.zeros(())
        t = torch.zeros(())
        for _ in range(2):
            w = net(torch.ones(3)).sum()
            s = s + w
            s *= 2
            t.add_(w)
            t.mul_(torch.tensor(0.5))
        """,
    "in eval mode, or made anew": """
        class P1(nn.Module):
            @torch.no_grad()
            def forward(self, v):
                return v.detach()
        p1 = P1()
        m4 = torch.eye(3)
        p1.eval()
        if random.random() < 0.5:
            p1 = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        m4 = p1(m4)
        m11 = m4 * 2
        """,
    "sum into a part of a tensor, on one branch": """
        v5 = torch.rand(3).requires_grad_() ** 2
        m3 = torch.rand(3, 3)
        for _ in range(2):
            for _ in range(2):
                v2 = nn.Linear(3, 3)(v5)
            if random.random() < 0.5:
                m3[:, 0] += v2
        """,
    "cut in a forward that is called where gradients are off": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

            @torch.enable_grad()
            def forward(self, v):
                return self.scale.detach().requires_grad_()

        net = Net()
        with torch.no_grad():
            m = net(torch.ones(3))
        """,
    "built by a function that a forward calls which nobody calls": """
        class K(nn.Module):
            def forward(self, v):
                return run(v)

        def run(v):
            return nn.Linear(3, 3)(v)

        v = run(torch.ones(3))
        """,
    "state of an outer loop that an inner one doubles": """
        v3 = torch.full((3,), 2.0)
        for _ in range(2):
            for _ in range(2):
                v3 = torch.add(v3, v3)
            v3 = (nn.Linear(3, 3))(v3).relu()
        torch.no_grad()
        """,
    "parameter that is cut in a pass in which it is used, and in one in which it is frozen": """
        class P1(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(3))

            def forward(self, v):
                b = self.scale.detach()
                return self.scale.masked_fill((torch.tensor([True, False, True])), 0.0)

        p1 = P1()
        v4 = torch.arange(3.0)
        for _ in range(2):
            v4 = p1(v4)
            p1.requires_grad_(False)
        """,
    "frozen module that one of two modules holds which is unfrozen": """
        p10 = nn.Linear(3, 3)
        for p in p10.parameters():
            p.requires_grad = False
        p13 = nn.Sequential(p10, nn.Linear(3, 3))
        if random.random() < 0.5:
            p13 = nn.Linear(3, 3)
        p13.requires_grad_()
        v = p10(torch.ones(3))
        """,
    "part that is unfrozen by the forward of its frozen whole": """
        class P1(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(3, 3)

            def forward(self, v):
                self.inner.requires_grad_()
                return v.cumsum(0)

        p1 = P1()
        for p in p1.parameters():
            p.requires_grad = False
        s = p1(torch.eye(3)).sum()
        """,
}
